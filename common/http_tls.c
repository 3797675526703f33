#include "common/http_tls.h"

#include "common/buf.h"
#include "common/file.h"
#include "common/mem.h"

#include <errno.h>
#include <gnutls/x509.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

enum { CHAIN_MAX = 10, FILE_MAX = 256 * 1024, KEY_ID_MAX = 64 };

struct http_tls {
    gnutls_pcert_st chain[CHAIN_MAX];
    unsigned count;
    gnutls_privkey_t key;
    struct http_tls *older;
};

char http_tls_priorities[] =
    "NORMAL:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2:-KX-ALL:+ECDHE-ECDSA:+ECDHE-RSA:"
    "-CIPHER-ALL:+AES-256-GCM:+CHACHA20-POLY1305:+AES-128-GCM:-MAC-ALL:+AEAD:"
    "-GROUP-ALL:+GROUP-X25519:+GROUP-SECP256R1:+GROUP-SECP384R1:%SERVER_PRECEDENCE";

// --- loading

static int read_certificates(struct http_tls *tls, const char *path, struct error *err) {
    struct buf text = {0};
    int rc = file_read_max(path, FILE_MAX, &text, err);
    gnutls_datum_t pem = {(unsigned char *)text.data, (unsigned)text.len};
    tls->count = CHAIN_MAX;
    if (rc == 0 && text.len == 0) rc = error_set(err, "%.200s: it is empty", path);
    if (rc == 0) {
        int code = gnutls_pcert_list_import_x509_raw(tls->chain, &tls->count, &pem,
                                                     GNUTLS_X509_FMT_PEM, 0);
        if (code < 0)
            rc = error_set(err, "%.200s: expected at most %d certificates in PEM: %s", path,
                           CHAIN_MAX, gnutls_strerror(code));
    }
    if (rc != 0) tls->count = 0;
    buf_deinit(&text);
    return rc;
}

static int check_readers(const char *path, struct error *err) {
    struct stat info;
    if (stat(path, &info) != 0) return error_system(err, -errno, "%.200s", path);
    if ((info.st_mode & S_IRWXO) != 0)
        return error_set(err, "%.200s: everybody may read this key: chmod o= %.200s", path, path);
    return 0;
}

static int read_key(struct http_tls *tls, const char *path, struct error *err) {
    struct buf text = {0};
    int rc = check_readers(path, err);
    if (rc == 0) rc = file_read_max(path, FILE_MAX, &text, err);
    gnutls_datum_t pem = {(unsigned char *)text.data, (unsigned)text.len};
    if (rc == 0) {
        gnutls_privkey_init(&tls->key);
        int code = gnutls_privkey_import_x509_raw(tls->key, &pem, GNUTLS_X509_FMT_PEM, NULL, 0);
        if (code < 0)
            rc = error_set(err, "%.200s: expected a private key in PEM, without a password: %s",
                           path, gnutls_strerror(code));
    }
    if (text.len > 0) explicit_bzero(text.data, text.len);
    buf_deinit(&text);
    return rc;
}

static bool is_of_one_pair(const struct http_tls *tls) {
    unsigned char of_key[KEY_ID_MAX], of_certificate[KEY_ID_MAX];
    size_t key_len = sizeof of_key, certificate_len = sizeof of_certificate;
    gnutls_pubkey_t public;
    gnutls_pubkey_init(&public);
    bool is_pair =
        gnutls_pubkey_import_privkey(public, tls->key, 0, 0) == 0 &&
        gnutls_pubkey_get_key_id(public, 0, of_key, &key_len) == 0 &&
        gnutls_pubkey_get_key_id(tls->chain[0].pubkey, 0, of_certificate, &certificate_len) == 0 &&
        key_len == certificate_len && memcmp(of_key, of_certificate, key_len) == 0;
    gnutls_pubkey_deinit(public);
    return is_pair;
}

static void look_at_dates(const struct http_tls *tls, const char *path, struct error *warning) {
    gnutls_x509_crt_t certificate;
    time_t now = time(NULL);
    warning->text[0] = '\0';
    if (gnutls_x509_crt_init(&certificate) != 0) return;
    if (gnutls_x509_crt_import(certificate, &tls->chain[0].cert, GNUTLS_X509_FMT_DER) == 0) {
        if (gnutls_x509_crt_get_expiration_time(certificate) < now)
            error_set(warning, "%.200s: this certificate has expired", path);
        else if (gnutls_x509_crt_get_activation_time(certificate) > now)
            error_set(warning, "%.200s: this certificate is not valid yet", path);
    }
    gnutls_x509_crt_deinit(certificate);
}

int http_tls_load(const char *certificate, const char *key, struct http_tls **out,
                  struct error *warning, struct error *err) {
    struct http_tls *tls = mem_zalloc(sizeof *tls);
    int rc = read_certificates(tls, certificate, err);
    if (rc == 0) rc = read_key(tls, key, err);
    if (rc == 0 && !is_of_one_pair(tls))
        rc = error_set(err, "%.200s is not the key of the certificate in %.200s", key, certificate);
    if (rc == 0) {
        look_at_dates(tls, certificate, warning);
        *out = tls;
    } else {
        http_tls_free(tls);
    }
    return rc;
}

void http_tls_free(struct http_tls *tls) {
    for (struct http_tls *older; tls != NULL; tls = older) {
        older = tls->older;
        for (unsigned i = 0; i < tls->count; i++)
            gnutls_pcert_deinit(&tls->chain[i]);
        if (tls->key != NULL) gnutls_privkey_deinit(tls->key);
        free(tls);
    }
}

struct http_tls *http_tls_before(struct http_tls *tls, struct http_tls *older) {
    tls->older = older;
    return tls;
}

// --- for libmicrohttpd

static struct http_tls *serving;

void http_tls_serving(struct http_tls *tls) {
    serving = tls;
}

int http_tls_certificate(gnutls_session_t session, const gnutls_datum_t *issuers, int issuers_count,
                         const gnutls_pk_algorithm_t *algorithms, int algorithms_count,
                         gnutls_pcert_st **certificates, unsigned *certificates_count,
                         gnutls_privkey_t *key) {
    (void)session;
    (void)issuers;
    (void)issuers_count;
    (void)algorithms;
    (void)algorithms_count;
    if (serving == NULL) return -1;
    *certificates = serving->chain;
    *certificates_count = serving->count;
    *key = serving->key;
    return 0;
}
