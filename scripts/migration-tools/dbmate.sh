# dbmate: plain SQL files.
# shellcheck shell=sh source=scripts/migration-tools/postgres.sh
. "$WORDS"

# migration NUMBER_NAME: the statements on stdin, each by itself.
migration() {
    mkdir -p migrations
    LAST=migrations/$1.sql
    { echo '-- migrate:up transaction:false' && cat && echo '-- migrate:down'; } >"$LAST"
}
project() {
    migration 1_first <<SQL
CREATE TABLE customer (id integer PRIMARY KEY, name text NOT NULL);
CREATE TABLE invoice (id integer PRIMARY KEY, cents bigint NOT NULL, customer integer REFERENCES customer);
INSERT INTO customer SELECT i, 'customer ' || i FROM $SERIES WHERE i <= 100;
INSERT INTO invoice SELECT i, i * 7, 1 + i % 100 FROM $SERIES;
SQL
}
good() {
    migration 2_rating <<'END'
ALTER TABLE customer ADD COLUMN rating integer; UPDATE customer SET rating = 3;
END
}
# A file's statements are one message to PostgreSQL, and so one transaction: two files are not.
failing() {
    migration 3_half <<'END'
DELETE FROM invoice WHERE id > 990;
END
    migration 4_failing <<'END'
INSERT INTO customer VALUES (1, 'again', 0);
END
}
lossy() {
    migration 3_lossy <<'END'
DELETE FROM invoice WHERE id > 990;
END
}
forget() { rm migrations/3_* migrations/4_*; }
# What dbmate reads of a URL.
DBMATE_MIGRATIONS_DIR=./migrations
DBMATE_NO_DUMP_SCHEMA=true
DATABASE_URL=$DBMATE_URL
export DATABASE_URL DBMATE_MIGRATIONS_DIR DBMATE_NO_DUMP_SCHEMA
play "$DBMATE_FAILS" dbmate migrate
