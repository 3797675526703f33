// TLS without a socket: a session takes the bytes that came over the wire, and says which are to be
// sent. TLS 1.2 and 1.3, with forward secrecy and authenticated ciphers only. A client believes a
// certificate that is valid now, leads to one of its CAs, and is for the peer's name or address.
//
// The order of things, at either end: feed what was read, call next until it says TLS_NONE, send
// what is in out. Texts begin with "tls: " and are cleaned of whatever a peer put into them.
#pragma once

#include "common/buf.h"
#include "common/error.h"

#include <stdbool.h>
#include <stddef.h>

struct tls;

// --- what a client believes

struct tls_trust;

// The certificates of a PEM file; where is what texts call them, "--device-ca" say, and borrowed.
// path NULL: those that this system trusts. An error names the file.
int tls_trust_load(struct tls_trust **out, const char *path, const char *where, struct error *err);
void tls_trust_free(struct tls_trust *trust); // takes NULL

// --- what a server shows

struct tls_identity;

// A chain of certificates and the key of its first, in PEM.
int tls_identity_new(struct tls_identity **out, const struct buf *certificates,
                     const struct buf *key, struct error *err);
void tls_identity_free(struct tls_identity *identity); // takes NULL

// --- sessions

enum tls_status {
    TLS_NONE,    // all that was fed is used up
    TLS_SECURED, // the handshake is over: tls_write() may be called; told once
    TLS_DATA,    // what the peer has said
    TLS_CLOSED,  // the peer has said all, and so it says
    TLS_FAILED,  // tls_failure() says why; an alert for the peer may be in out
};

// trust or identity must outlive the session. name is what the peer is called, and address where it
// was reached; a certificate for either will do. Both are borrowed. The first bytes of a client are
// in out at once.
struct tls *tls_connect(struct tls_trust *trust, const char *name, const char *address);
struct tls *tls_accept(struct tls_identity *identity);
void tls_free(struct tls *t); // takes NULL

// The bytes must stay until next has said TLS_NONE, TLS_CLOSED or TLS_FAILED. Where some are left
// of those that were fed before, these follow them.
void tls_feed(struct tls *t, const char *bytes, size_t len);
// What is left of what was fed is copied, and need not stay any more.
void tls_keep(struct tls *t);
// Data lives until the next call, or the end of the session. TLS_CLOSED and TLS_FAILED are for
// good.
enum tls_status tls_next(struct tls *t, const char **data, size_t *len);
const char *tls_failure(const struct tls *t); // lives as long as the session
bool tls_is_secured(const struct tls *t);

// Once secured. What is written at once goes as one record, up to 16 KiB.
void tls_write(struct tls *t, const void *data, size_t len);
// Says that all is said (close_notify), where it is secured.
void tls_close(struct tls *t);
// What is to be sent: the caller's to send and clear.
struct buf *tls_out(struct tls *t);

// Whether this is how a peer of TLS answers one that speaks plain text: an alert, the first time
// that it says anything.
bool tls_is_alert(const char *bytes, size_t len);
