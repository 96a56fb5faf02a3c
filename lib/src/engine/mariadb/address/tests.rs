use super::*;

fn read(text: &str, files: &str, variables: &[(&'static str, &str)]) -> Address {
    let mut address = Address::read(text).expect("a URL");
    address.inherit(Inherited::of(files, variables));
    address
}

#[test]
fn every_form_of_url_is_read() {
    let full = Address::read("mysql://a%40b:p%2Fw-secret@[::1]:3307/my%20db?ssl_mode=REQUIRED&charset=utf8mb4").expect("a URL");
    assert_eq!(full.password, Some(Secret::new("p/w-secret")));
    assert_eq!(full.location("my db"), "mysql://a%40b@[::1]:3307/my%20db");
    assert_eq!(full.option("ssl-mode"), Some("REQUIRED"));
    let socket = read("mariadb://ann@localhost/d?socket=/run/my%20sql/s.sock", "", &[]);
    assert_eq!(socket.location("d"), "mariadb://ann@localhost/d?socket=%2Frun%2Fmy%20sql%2Fs.sock");
    assert_eq!(read("mariadb:", "", &[("MYSQL_DATABASE", "ledger")]).database(), Some("ledger"));
    for text in
        ["mariadb:x", "mariadb://h:x/d", "mariadb://a,b/d", "mariadb://h/d?socket", "mariadb://%zz/d", "mariadb://h/%0a", "mongo://h/d"]
    {
        let error = Address::read(text).expect_err(text);
        assert_eq!(error.kind(), crate::error::Kind::Config, "{text}");
    }
    let error = Address::read("mariadb://u:topsecret@h/d?sokcet=x").expect_err("a slip");
    assert!(error.next_step().is_some_and(|hint| hint.contains("socket")), "{error:?}");
    assert!(!error.to_string().contains("topsecret"), "{error}");
}

#[test]
fn what_the_text_does_not_say_comes_from_files_then_variables() {
    let files = "[mysqldump]\nuser=backup\npassword='for # backups'\n[client]\nhost = db.internal # ours\nport=3307\n[client-server]\nsocket=/run/s.sock\n";
    let variables = [("MYSQL_HOST", "elsewhere"), ("MYSQL_PWD", "variable"), ("MYSQL_DATABASE", "books")];
    let address = read("mariadb:", files, &variables);
    assert_eq!(address.location("books"), "mariadb://backup@db.internal:3307/books");
    assert_eq!(address.password, Some(Secret::new("for # backups")));
    assert_eq!(address.database(), Some("books"));
    let address = read("mariadb://ann:own@10.0.0.1/d", files, &variables);
    assert_eq!(address.location("d"), "mariadb://ann@10.0.0.1:3307/d");
    assert_eq!(address.password, Some(Secret::new("own")));
    let address = read("mariadb://ann@localhost/d", "[client]\nsocket=/a\n[client]\nsocket=\"/b\"\n", &[("MYSQL_PWD", "v\\x")]);
    assert_eq!(address.location("d"), "mariadb://ann@localhost/d?socket=%2Fb");
    assert_eq!(address.password, Some(Secret::new("v\\x")));
}

#[test]
fn a_port_in_the_text_is_not_led_to_a_socket() {
    let files = "[client]\nsocket=/run/s.sock\nhost=elsewhere\n";
    let address = read("mariadb://ann@localhost:3307/d", files, &[]);
    assert_eq!((address.option("protocol"), address.is_by_socket()), (Some("tcp"), false));
    let address = read("mariadb://ann@/d?socket=/s", files, &[]);
    assert_eq!((address.option("host"), address.option("socket"), address.is_by_socket()), (None, Some("/s"), true));
}

#[test]
fn a_program_is_told_one_way_only() {
    let files = "[client-server]\nsocket=/run/s.sock\nport=3306\n";
    let way = |text: &str| read(text, files, &[]).way().into_iter().filter(|(name, _)| *name != "user").collect::<Vec<_>>();
    let own = |pairs: &[(&'static str, &str)]| pairs.iter().map(|(name, value)| (*name, (*value).to_owned())).collect::<Vec<_>>();
    assert_eq!(way("mariadb://a@db.internal/d"), own(&[("host", "db.internal"), ("port", "3306"), ("protocol", "tcp")]));
    assert_eq!(way("mariadb://a@localhost:3307/d"), own(&[("host", "localhost"), ("port", "3307"), ("protocol", "tcp")]));
    assert_eq!(way("mariadb://a@localhost/d"), own(&[("host", "localhost"), ("protocol", "socket"), ("socket", "/run/s.sock")]));
    assert_eq!(way("mariadb://a@/d"), own(&[("protocol", "socket"), ("socket", "/run/s.sock")]));
}

#[test]
fn switches_and_groups_of_others_are_told_apart() {
    let files = "[mysqld]\nport=1\nuser=mysql\n[client]\nskip-ssl\n[mysql]\nssl_ca=/ca.pem\n[other]\npassword=x\n";
    let address = read("mariadb://ann@h/d", files, &[]);
    assert_eq!((address.option("ssl"), address.option("ssl-ca"), address.option("port")), (Some("0"), Some("/ca.pem"), None));
    assert_eq!(address.password, None);
}
