// A certificate and its key, for a server of https; by GnuTLS, which libmicrohttpd is made with.
#pragma once

#include "common/error.h"

#include <gnutls/abstract.h>

struct http_tls;

// Files in PEM: the certificate with those of its issuers behind it, and its key, which is refused
// where everybody may read it. Errors name the file, and never what a key has in it. What is right
// but will trouble clients is in warning: one that is not valid now; "" where nothing will.
int http_tls_load(const char *certificate, const char *key, struct http_tls **out,
                  struct error *warning, struct error *err);
void http_tls_free(struct http_tls *tls); // with those before it; takes NULL

// tls in place of older, which handshakes that have begun still use. Both are freed as one.
struct http_tls *http_tls_before(struct http_tls *tls, struct http_tls *older);

// --- for libmicrohttpd

extern char http_tls_priorities[]; // TLS 1.2 and 1.3, forward secret, authenticated ciphers alone
// libmicrohttpd asks for the certificate without saying on whose behalf: on that of the server
// whose turn it is.
void http_tls_serving(struct http_tls *tls);
int http_tls_certificate(gnutls_session_t session, const gnutls_datum_t *issuers, int issuers_count,
                         const gnutls_pk_algorithm_t *algorithms, int algorithms_count,
                         gnutls_pcert_st **certificates, unsigned *certificates_count,
                         gnutls_privkey_t *key);
