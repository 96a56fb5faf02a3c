//! The PostgreSQL engine against a real server.

#[path = "../support/postgres.rs"]
mod postgres;
mod scene;

mod corpus;
mod dump;
mod image;
mod load;
mod marker;
mod names;
mod rollback;
mod scratch;
mod shared;
mod speed;
mod swap;
