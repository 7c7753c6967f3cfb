#!/bin/sh
# Make the secrets of docker-compose.yml, one file each, in secrets/ beside it. What is there stays as it is: to replace a
# secret, remove its file (and those that contain it), run this again and see docs/security.md. Needs openssl.
#
# The folder is closed to other users of this host (0700). The files are readable (0444), because Docker mounts each one into
# the containers that need it, whose users have numbers of their own.
set -eu
cd "$(dirname "$0")/.."
umask 077
mkdir -p secrets
chmod 700 secrets
cd secrets

# put NAME: standard input as a file, unless there is one.
put() {
    if [ -e "$1" ]; then cat >/dev/null; return; fi
    cat >"$1.new"
    chmod 444 "$1.new"
    mv "$1.new" "$1"
}
hex() { openssl rand -hex 32 | tr -d '\n'; }
# Passwords that you put into files yourself may have any characters: as an address has them, and as valkey.conf does.
bytes() { tr -d '\n' <"$1" | od -An -v -tx1 | tr -d ' \n'; }
in_url() { case "$(cat "$1")" in *[!A-Za-z0-9._~-]*) bytes "$1" | sed 's/../%&/g' ;; *) cat "$1" ;; esac; }

openssl rand -base64 48 | put secret_key
printf '' | put secret_key_fallbacks
hex | put metrics_token
# Pairs of keys that sign. The public half: the seed, as a PKCS#8 key, which ends with it as SubjectPublicKeyInfo.
for name in certificate log; do
    openssl rand -base64 32 | put "${name}_key"
    { printf '\060\056\002\001\000\060\005\006\003\053\145\160\004\042\004\040'; openssl base64 -d -A <"${name}_key"; } |
        openssl pkey -inform DER -pubout -outform DER | tail -c 32 | openssl base64 -A | put "${name}_public_keys"
done

hex | put postgres_password
hex | put postgres_owner_password
hex | put postgres_portal_password
printf 'postgres://spacekeep_owner:%s@postgres:5432/spacekeep' "$(in_url postgres_owner_password)" | put database_owner_url
printf 'postgres://spacekeep:%s@postgres:5432/spacekeep' "$(in_url postgres_portal_password)" | put database_url

hex | put valkey_password
printf 'redis://:%s@valkey:6379/0' "$(in_url valkey_password)" | put broker_url
# Messages may be lost: work is rows in PostgreSQL, and the dispatcher publishes it again.
printf 'requirepass "%s"\nsave ""\nappendonly no\nmaxmemory 256mb\nmaxmemory-policy noeviction\n' \
    "$(bytes valkey_password | sed 's/../\\x&/g')" | put valkey.conf

openssl rand -hex 10 | tr -d '\n' | put s3_access_key_id
hex | put s3_secret_access_key
printf '{"identities": [{"name": "spacekeep", "credentials": [{"accessKey": "%s", "secretKey": "%s"}], "actions": ["Admin"]}]}' \
    "$(cat s3_access_key_id)" "$(cat s3_secret_access_key)" | put s3.json
if ! [ -e store.key ] || ! [ -e store.crt ]; then
    rm -f store.key store.crt
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 7300 -subj /CN=spacekeep-store \
        -addext subjectAltName=DNS:localhost -keyout store.key.made -out store.crt.made 2>/dev/null
    put store.key <store.key.made
    put store.crt <store.crt.made
    rm -f store.key.made store.crt.made
fi
{
    for table in jwt.signing jwt.signing.read jwt.filer_signing jwt.filer_signing.read; do
        printf '[%s]\nkey = "%s"\n' "$table" "$(hex)"
    done
    printf '[grpc]\nca = "/run/secrets/store.crt"\n'
    for part in volume master filer s3 admin worker msg_broker msg_agent mq client; do
        printf '[grpc.%s]\ncert = "/run/secrets/store.crt"\nkey = "/run/secrets/store.key"\n' "$part"
    done
} | put security.toml

# Empty: no mail, no sign-in elsewhere, no LiveKit. Write the value into the file.
for name in email_url oidc_client_secret x_client_secret livekit_api_secret livekit_s3_secret_access_key \
    log_s3_secret_access_key; do printf '' | put "$name"; done
