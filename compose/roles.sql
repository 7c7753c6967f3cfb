-- PostgreSQL's roles and database, made by the image at its first start (docs/operations.md, "Database roles").
\set owner_password `cat /run/secrets/postgres_owner_password`
\set portal_password `cat /run/secrets/postgres_portal_password`
CREATE ROLE spacekeep_owner LOGIN PASSWORD :'owner_password';
CREATE ROLE spacekeep LOGIN PASSWORD :'portal_password';
CREATE DATABASE spacekeep OWNER spacekeep_owner;
