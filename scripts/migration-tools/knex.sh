# knex: JavaScript on node-postgres, which is no libpq.
# shellcheck shell=sh source=scripts/migration-tools/postgres.sh
. "$WORDS"

migration() {
    mkdir -p migrations
    LAST=migrations/$1.js
    { echo 'exports.config = { transaction: false }; exports.down = async () => {}; exports.up = async (knex) => {' && cat && echo '};'; } >"$LAST"
}
project() {
    ln -s "$TOOLS/knex/node_modules" node_modules
    echo 'module.exports = { client: "pg", connection: process.env.DATABASE_URL };' >knexfile.js
    migration 1_first <<'JS'
await knex.schema.createTable("customer", (t) => { t.integer("id").primary(); t.text("name"); });
await knex.schema.createTable("invoice", (t) => { t.integer("id").primary(); t.bigint("cents"); t.integer("customer").references("customer.id"); });
await knex("customer").insert([...Array(100).keys()].map((i) => ({ id: i + 1, name: `customer ${i}` })));
await knex("invoice").insert([...Array(1000).keys()].map((i) => ({ id: i + 1, cents: i * 7, customer: 1 + (i % 100) })));
JS
}
good() {
    migration 2_rating <<'END'
await knex.schema.alterTable("customer", (t) => t.integer("rating")); await knex("customer").update({ rating: 3 });
END
}
failing() {
    migration 3_failing <<'END'
await knex("invoice").where("id", ">", 990).del(); await knex("customer").insert({ id: 1, name: "again" });
END
}
lossy() {
    migration 3_lossy <<'END'
await knex("invoice").where("id", ">", 990).del();
END
}
forget() { rm "$LAST"; }
play 1 knex migrate:latest
