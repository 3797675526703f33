#include "simulator/device_ca.h"

#include "common/mem.h"
#include "common/strmap.h"

#include <arpa/inet.h>
#include <gnutls/crypto.h>
#include <gnutls/x509.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { DAY_S = 24 * 60 * 60, SERIAL = 16 };
static const long long ten_years_s = 3652LL * DAY_S;

struct device_ca {
    gnutls_x509_privkey_t key, device_key;
    gnutls_x509_crt_t crt;
    struct buf pem, device_key_pem;
    struct made { // for whom it has made one
        char *name;
        struct tls_identity *identity;
    } * made;
    size_t made_count;
    struct strmap by_name; // of made: its number + 1
};

static int add_pem(gnutls_datum_t *pem, struct buf *out) {
    buf_add(out, pem->data, pem->size);
    gnutls_free(pem->data);
    return 0;
}

static int make_key(gnutls_x509_privkey_t *key) {
    int rc = gnutls_x509_privkey_init(key);
    if (rc == 0)
        rc = gnutls_x509_privkey_generate(*key, GNUTLS_PK_ECDSA,
                                          GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_SECP256R1), 0);
    return rc;
}

// What every certificate has; a serial number of its own, too.
static int begin_certificate(gnutls_x509_crt_t *crt, const char *name, gnutls_x509_privkey_t key,
                             long long from_s, long long to_s) {
    unsigned char serial[SERIAL] = {0};
    const time_t now = time(NULL);
    int rc = gnutls_x509_crt_init(crt);
    if (rc == 0) rc = gnutls_rnd(GNUTLS_RND_NONCE, serial, sizeof serial);
    serial[0] = (serial[0] & 0x7f) | 1; // a positive number of that length
    if (rc == 0) rc = gnutls_x509_crt_set_version(*crt, 3);
    if (rc == 0) rc = gnutls_x509_crt_set_serial(*crt, serial, sizeof serial);
    if (rc == 0)
        rc = gnutls_x509_crt_set_dn_by_oid(*crt, GNUTLS_OID_X520_COMMON_NAME, 0, name,
                                           (unsigned)strlen(name));
    if (rc == 0) rc = gnutls_x509_crt_set_activation_time(*crt, (time_t)(now + from_s));
    if (rc == 0) rc = gnutls_x509_crt_set_expiration_time(*crt, (time_t)(now + to_s));
    if (rc == 0) rc = gnutls_x509_crt_set_key(*crt, key);
    return rc;
}

// Of two CAs with one name a client would ask the first alone.
static int make_name(char name[64]) {
    uint64_t number = 0;
    const int rc = gnutls_rnd(GNUTLS_RND_NONCE, &number, sizeof number);
    snprintf(name, 64, "CA of simulated devices %016llx", (unsigned long long)number);
    return rc;
}

static int make_own(struct device_ca *ca) {
    gnutls_datum_t pem = {0};
    char name[64];
    int rc = make_name(name);
    if (rc == 0) rc = make_key(&ca->key);
    if (rc == 0) rc = make_key(&ca->device_key);
    if (rc == 0) rc = begin_certificate(&ca->crt, name, ca->key, -DAY_S, ten_years_s);
    if (rc == 0) rc = gnutls_x509_crt_set_basic_constraints(ca->crt, 1, 0);
    if (rc == 0) rc = gnutls_x509_crt_set_key_usage(ca->crt, GNUTLS_KEY_KEY_CERT_SIGN);
    if (rc == 0) rc = gnutls_x509_crt_sign2(ca->crt, ca->crt, ca->key, GNUTLS_DIG_SHA256, 0);
    if (rc == 0) rc = gnutls_x509_crt_export2(ca->crt, GNUTLS_X509_FMT_PEM, &pem);
    if (rc == 0) rc = add_pem(&pem, &ca->pem);
    if (rc == 0) rc = gnutls_x509_privkey_export2(ca->device_key, GNUTLS_X509_FMT_PEM, &pem);
    if (rc == 0) rc = add_pem(&pem, &ca->device_key_pem);
    return rc;
}

static int cannot(struct error *err, int rc) {
    return rc == 0 ? 0 : error_set(err, "cannot make a certificate: %s", gnutls_strerror(rc));
}

int device_ca_new(struct device_ca **out, struct error *err) {
    struct device_ca *ca = mem_zalloc(sizeof *ca);
    const int rc = make_own(ca);
    if (rc == 0)
        *out = ca;
    else
        device_ca_free(ca);
    return cannot(err, rc);
}

void device_ca_free(struct device_ca *ca) {
    if (ca == NULL) return;
    if (ca->crt != NULL) gnutls_x509_crt_deinit(ca->crt);
    if (ca->key != NULL) gnutls_x509_privkey_deinit(ca->key);
    if (ca->device_key != NULL) gnutls_x509_privkey_deinit(ca->device_key);
    for (size_t i = 0; i < ca->made_count; i++) {
        tls_identity_free(ca->made[i].identity);
        free(ca->made[i].name);
    }
    free(ca->made);
    strmap_deinit(&ca->by_name);
    buf_deinit(&ca->pem);
    buf_deinit(&ca->device_key_pem);
    free(ca);
}

const struct buf *device_ca_certificate(const struct device_ca *ca) {
    return &ca->pem;
}

static int add_name(gnutls_x509_crt_t crt, const char *name) {
    unsigned char address[sizeof(struct in6_addr)];
    unsigned len = 0;
    if (inet_pton(AF_INET, name, address) == 1) len = sizeof(struct in_addr);
    if (len == 0 && inet_pton(AF_INET6, name, address) == 1) len = sizeof(struct in6_addr);
    return len > 0 ? gnutls_x509_crt_set_subject_alt_name(crt, GNUTLS_SAN_IPADDRESS, address, len,
                                                          GNUTLS_FSAN_APPEND)
                   : gnutls_x509_crt_set_subject_alt_name(
                         crt, GNUTLS_SAN_DNSNAME, name, (unsigned)strlen(name), GNUTLS_FSAN_APPEND);
}

static int make_certificate(const struct device_ca *ca, const struct device_certificate *what,
                            gnutls_x509_crt_t *crt, gnutls_datum_t *pem) {
    const bool is_usual = what->from_s == 0 && what->to_s == 0;
    int rc =
        begin_certificate(crt, "simulated device", ca->device_key, is_usual ? -DAY_S : what->from_s,
                          is_usual ? ten_years_s : what->to_s);
    for (size_t i = 0; rc == 0 && what->names[i] != NULL; i++)
        rc = add_name(*crt, what->names[i]);
    if (rc == 0) rc = gnutls_x509_crt_set_key_usage(*crt, GNUTLS_KEY_DIGITAL_SIGNATURE);
    if (rc == 0)
        rc = gnutls_x509_crt_set_key_purpose_oid(
            *crt, what->for_clients ? GNUTLS_KP_TLS_WWW_CLIENT : GNUTLS_KP_TLS_WWW_SERVER, 0);
    if (rc == 0) rc = gnutls_x509_crt_sign2(*crt, ca->crt, ca->key, GNUTLS_DIG_SHA256, 0);
    if (rc == 0) rc = gnutls_x509_crt_export2(*crt, GNUTLS_X509_FMT_PEM, pem);
    return rc;
}

int device_ca_issue_pem(const struct device_ca *ca, const struct device_certificate *what,
                        struct buf *certificate, struct buf *key, struct error *err) {
    gnutls_x509_crt_t crt = NULL;
    gnutls_datum_t pem = {0};
    int rc = make_certificate(ca, what, &crt, &pem);
    if (rc == 0) rc = add_pem(&pem, certificate);
    if (crt != NULL) gnutls_x509_crt_deinit(crt);
    if (rc != 0) return cannot(err, rc);
    buf_add(key, ca->device_key_pem.data, ca->device_key_pem.len);
    return 0;
}

int device_ca_issue(const struct device_ca *ca, const struct device_certificate *what,
                    struct tls_identity **out, struct error *err) {
    struct buf certificate = {0}, key = {0};
    int rc = device_ca_issue_pem(ca, what, &certificate, &key, err);
    if (rc == 0) rc = tls_identity_new(out, &certificate, &key, err);
    buf_deinit(&certificate);
    buf_deinit(&key);
    return rc;
}

int device_ca_identity(struct device_ca *ca, const char *const *names, struct tls_identity **out,
                       struct error *err) {
    const uintptr_t number = (uintptr_t)strmap_get(&ca->by_name, names[0]);
    if (number > 0) {
        *out = ca->made[number - 1].identity;
        return 0;
    }
    const struct device_certificate what = {.names = names};
    struct made made = {0};
    int rc = device_ca_issue(ca, &what, &made.identity, err);
    if (rc != 0) return rc;
    made.name = mem_strdup(names[0]);
    ca->made = mem_resize(ca->made, ca->made_count + 1, sizeof *ca->made);
    ca->made[ca->made_count++] = made;
    strmap_put(&ca->by_name, made.name,
               (void *)ca->made_count); // NOLINT(performance-no-int-to-ptr)
    *out = made.identity;
    return 0;
}
