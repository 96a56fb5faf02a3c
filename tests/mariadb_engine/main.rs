//! The MariaDB engine against a real server.

#[path = "../support/mariadb.rs"]
mod mariadb;
mod scene;

mod corpus;
mod dump;
mod load;
mod scratch;
mod speed;
