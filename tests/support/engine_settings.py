"""Settings of a process that imports the site and connects to no engine."""

UNREACHABLE_ENGINES = {
    "DATABASE_URL": "postgres://none@127.0.0.1:1/none",
    "BROKER_URL": "redis://127.0.0.1:1/0",
    "S3_ENDPOINT_URL": "http://127.0.0.1:1",
    "S3_PUBLIC_ENDPOINT_URL": "http://127.0.0.1:1",
    "S3_BUCKET": "none",
    "S3_REGION": "us-east-1",
    "S3_ACCESS_KEY_ID": "none",
    "S3_SECRET_ACCESS_KEY": "none",
}
