"""What holds of every method, in words."""

from config.openapi.meanings import table

TEXT = f"""\
Connect an organization to its Bitbucket from code, and read what was copied.

- Reads are `GET`, every write is `POST`. Bodies are `application/json`, or \
`application/x-www-form-urlencoded` with the same names, where objects and lists are JSON text. \
Unknown names are refused.
- `Authorization: Bearer <key>`, with a key from the page *API keys*. A key belongs to one \
organization. It can do its scopes, within its role and what its maker may do now.
- Success is `{{"ok": true, …}}`, failure `{{"ok": false, "error": "<code>", "message": …, \
"request_id": …}}`. `error` is stable, `message` is for people.
- Ids are integers; instants are ISO 8601 in UTC with milliseconds and `Z`; days are `YYYY-MM-DD`.
- Lists take `limit` (1 to 100, 50 unless said) and `cursor`; the next one is \
`response_metadata.next_cursor`, null at the end. `connections.list` and `credentials.list` \
without `limit` answer up to 1,000 rows.
- `Idempotency-Key` on any write: the same key with the same body answers as the first time, for \
24 hours. `If-Match` with a row's `etag` on updates and deletes: a row that was changed since is \
left alone. `?dry_run=1` on creates and updates: everything is checked and verified, nothing is \
stored.
- 1,000 requests a minute per key; `X-RateLimit-*` says what is left. `X-Request-Id` stands on \
every answer.
- Another organization's row answers exactly as one that does not exist.

{table()}
"""
