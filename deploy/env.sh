#!/bin/sh
# A .env for docker-compose.yml on stdout: .env.example with random passwords.   sh deploy/env.sh >.env
set -eu
cd "$(dirname "$0")/.."
umask 077
while IFS= read -r line; do
  case $line in
    [A-Z]*=) printf '%s%s\n' "$line" "$(od -An -N24 -tx1 /dev/urandom | tr -d ' \n')" ;;
    *) printf '%s\n' "$line" ;;
  esac
done <.env.example
