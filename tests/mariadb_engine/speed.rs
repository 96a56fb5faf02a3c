//! How fast it is.

use std::process::Stdio;
use std::time::Instant;

use holdfast::engine::mariadb::text::Scanner;
use holdfast::engine::{Content, Engine};

use crate::mariadb::server;
use crate::scene::{dump_of, engine};

/// `cargo test --release --test mariadb_engine -- --ignored --nocapture speed::`
#[test]
#[ignore = "measures, and takes minutes"]
#[allow(clippy::print_stderr)]
fn speed() {
    server().database(
        "large",
        "CREATE TABLE entries (id bigint PRIMARY KEY, at datetime, account int, amount decimal(12,2), text text, hash varchar(64), KEY (account), KEY (at)); \
         INSERT INTO entries SELECT seq, '2020-01-01' + INTERVAL seq SECOND, seq % 5000, seq / 7.0, CONCAT('entry number ', seq, ' of the ledger'), CONCAT(MD5(seq), MD5(seq + 1)) FROM seq_1_to_1500000",
    );
    let engine = engine("large");
    let seconds = |what: &mut dyn FnMut()| {
        let start = Instant::now();
        what();
        start.elapsed().as_secs_f64()
    };
    let (dumped, bytes) = dump_of(&engine).expect("a dump");
    for (name, make) in [("with hashes", Scanner::new as fn() -> Scanner), ("structure only", Scanner::of_structure)] {
        let time = seconds(&mut || {
            let mut scanner = make();
            bytes.chunks(256 << 10).for_each(|block| scanner.write(block));
            scanner.finish().expect("whole");
        });
        eprintln!("scanner {name}: {:.0} MB/s of {} MB", bytes.len() as f64 / 1e6 / time, bytes.len() / 1_000_000);
    }
    for _ in 0..2 {
        let plain = engine.scratch(Some(&dumped.database)).expect("a scratch");
        let mut ours = engine.scratch(Some(&dumped.database)).expect("a scratch");
        let limit = seconds(&mut || {
            let reach = plain.loaded().reach();
            let mut client = std::process::Command::new("mariadb")
                .args(["--no-defaults", &format!("--socket={}", reach.places["socket"]), "--user=root", &reach.places["database"]])
                .stdin(Stdio::piped())
                .spawn()
                .expect("mariadb");
            std::io::Write::write_all(&mut client.stdin.take().expect("a pipe"), &bytes).expect("written");
            assert!(client.wait().expect("an end").success());
        });
        let took = seconds(&mut || ours.load(Content::MariadbSql, &mut bytes.as_slice()).expect("a load"));
        eprintln!("mariadb {limit:.2} s, load {took:.2} s, ratio {:.2}", took / limit);
        plain.loaded().ask("SELECT 1").expect("an answer");
    }
}
