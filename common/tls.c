// GnuTLS asks for bytes and hands bytes out by two functions, pull and push, which reach no further
// than the session's own buffers. So a handshake is a few calls of microseconds each, between which
// the loop turns, and a dripped one costs no more than its bytes.
//
//   shaking hands -> secured -> closed, and from each of them -> failed
#include "common/tls.h"

#include "common/file.h"
#include "common/mem.h"
#include "common/text.h"

#include <arpa/inet.h>
#include <assert.h>
#include <errno.h>
#include <gnutls/gnutls.h>
#include <gnutls/x509.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { NAMES_TOLD = 3, RECORD_MAX = 16384, ALERT = 21, HANDSHAKE = 22 };

// Of what GnuTLS knows only what nobody calls weak.
static const char priorities[] =
    "SECURE128:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2:-KX-ALL:+ECDHE-ECDSA:+ECDHE-RSA:+DHE-RSA:"
    "-CIPHER-ALL:+AES-128-GCM:+AES-256-GCM:+CHACHA20-POLY1305";

struct tls_trust {
    gnutls_certificate_credentials_t credentials;
    gnutls_priority_t priority;
    const char *where; // NULL: this system
};

struct tls_identity {
    gnutls_certificate_credentials_t credentials;
    gnutls_priority_t priority;
};

enum tls_state { TLS_SHAKING_HANDS, TLS_IS_SECURED, TLS_IS_CLOSED, TLS_HAS_FAILED };

struct tls {
    gnutls_session_t session;
    enum tls_state state;
    const struct tls_trust *trust; // of a client
    const char *name, *address;
    const char *in; // fed and not yet used
    size_t in_left;
    struct buf kept; // what in points into where more was fed while some was left
    struct buf out;
    gnutls_packet_t packet; // whose data was handed out
    bool has_heard;         // the peer has said anything at all
    char failure[ERROR_TEXT_MAX];
};

// --- certificates and keys

static int told(struct error *err, int rc) {
    return error_set(err, "%s", gnutls_strerror(rc));
}

static gnutls_datum_t datum_of(const struct buf *text) {
    return (gnutls_datum_t){(unsigned char *)text->data, (unsigned)text->len};
}

// What this system has forbidden may be all that we take.
static int set_priority(gnutls_priority_t *priority, struct error *err) {
    const int rc = gnutls_priority_init(priority, priorities, NULL);
    return rc == 0 ? 0
                   : error_set(err, "GnuTLS as this system sets it up: %s", gnutls_strerror(rc));
}

static int trust_pem(struct tls_trust *trust, const struct buf *pem, struct error *err) {
    gnutls_x509_crt_t *list = NULL;
    unsigned count = 0;
    const gnutls_datum_t text = datum_of(pem);
    int rc = gnutls_x509_crt_list_import2(&list, &count, &text, GNUTLS_X509_FMT_PEM, 0);
    if (rc == GNUTLS_E_BASE64_UNEXPECTED_HEADER_ERROR || rc == GNUTLS_E_NO_CERTIFICATE_FOUND)
        return error_set(err, "it holds no certificate: expected PEM, -----BEGIN CERTIFICATE-----");
    if (rc < 0)
        return error_set(err, "a certificate of it cannot be read: %s", gnutls_strerror(rc));
    rc = gnutls_certificate_set_x509_trust(trust->credentials, list, (int)count);
    for (unsigned i = 0; i < count; i++)
        gnutls_x509_crt_deinit(list[i]);
    gnutls_free(list);
    return rc < 0 ? told(err, rc) : 0;
}

static int trust_file(struct tls_trust *trust, const char *path, struct error *err) {
    enum { ENOUGH = 4 << 20 };
    struct buf pem = {0};
    int rc = file_read_max(path, ENOUGH, &pem, err);
    if (rc == 0) {
        buf_adds(&pem, "");
        rc = trust_pem(trust, &pem, err);
        if (rc != 0) error_from(err, "%.200s", path);
    }
    buf_deinit(&pem);
    return rc;
}

static int trust_system(struct tls_trust *trust, struct error *err) {
    if (gnutls_certificate_set_x509_system_trust(trust->credentials) > 0) return 0;
    return error_set(err, "this system trusts no CA: --device-ca FILE names those of the devices");
}

static int verify(gnutls_session_t session);

int tls_trust_load(struct tls_trust **out, const char *path, const char *where, struct error *err) {
    struct tls_trust *trust = mem_zalloc(sizeof *trust);
    trust->where = path == NULL ? NULL : where;
    gnutls_certificate_allocate_credentials(&trust->credentials);
    gnutls_certificate_set_verify_function(trust->credentials, verify);
    int rc = set_priority(&trust->priority, err);
    if (rc == 0) rc = path == NULL ? trust_system(trust, err) : trust_file(trust, path, err);
    if (rc == 0)
        *out = trust;
    else
        tls_trust_free(trust);
    return rc;
}

void tls_trust_free(struct tls_trust *trust) {
    if (trust == NULL) return;
    gnutls_certificate_free_credentials(trust->credentials);
    gnutls_priority_deinit(trust->priority);
    free(trust);
}

int tls_identity_new(struct tls_identity **out, const struct buf *certificates,
                     const struct buf *key, struct error *err) {
    struct tls_identity *identity = mem_zalloc(sizeof *identity);
    const gnutls_datum_t pem = datum_of(certificates), key_pem = datum_of(key);
    gnutls_certificate_allocate_credentials(&identity->credentials);
    int rc = gnutls_certificate_set_x509_key_mem(identity->credentials, &pem, &key_pem,
                                                 GNUTLS_X509_FMT_PEM);
    rc = rc < 0 ? told(err, rc) : set_priority(&identity->priority, err);
    if (rc == 0)
        *out = identity;
    else
        tls_identity_free(identity);
    return rc;
}

void tls_identity_free(struct tls_identity *identity) {
    if (identity == NULL) return;
    gnutls_certificate_free_credentials(identity->credentials);
    gnutls_priority_deinit(identity->priority);
    free(identity);
}

// --- whom a client believes

__attribute__((format(printf, 2, 3))) static void fail(struct tls *t, const char *format, ...) {
    struct error err;
    va_list args;
    if (t->failure[0] != '\0') return; // the first reason is the reason
    va_start(args, format);
    error_vset(&err, format, args);
    va_end(args);
    error_from(&err, "tls");
    text_line(err.text);
    memcpy(t->failure, err.text, sizeof t->failure);
}

// "spine00.earth, 127.0.0.1", as its subject's alternative names say; else its common name.
static void add_names(gnutls_x509_crt_t crt, struct buf *out) {
    char name[256], address[INET6_ADDRSTRLEN];
    unsigned told = 0;
    for (unsigned i = 0; told < NAMES_TOLD; i++) {
        size_t len = sizeof name - 1;
        const int type = gnutls_x509_crt_get_subject_alt_name(crt, i, name, &len, NULL);
        if (type == GNUTLS_E_SHORT_MEMORY_BUFFER) continue;
        if (type < 0) break;
        const char *text = name;
        name[len] = '\0';
        if (type == GNUTLS_SAN_IPADDRESS)
            text = inet_ntop(len == 4 ? AF_INET : AF_INET6, name, address, sizeof address);
        else if (type != GNUTLS_SAN_DNSNAME)
            continue;
        buf_addf(out, "%s%.100s", told++ == 0 ? "" : ", ", text);
    }
    size_t len = sizeof name - 1;
    if (told > 0 ||
        gnutls_x509_crt_get_dn_by_oid(crt, GNUTLS_OID_X520_COMMON_NAME, 0, 0, name, &len) != 0)
        return;
    name[len] = '\0';
    buf_addf(out, "%.100s", name);
}

static void fail_names(struct tls *t, gnutls_x509_crt_t crt) {
    struct buf names = {0};
    add_names(crt, &names);
    fail(t, "the certificate is for %s, not for %.100s or %.100s",
         names.len == 0 ? "nobody" : names.data, t->name, t->address);
    buf_deinit(&names);
}

static void fail_signer(struct tls *t) {
    if (t->trust->where != NULL)
        fail(t, "the certificate is not signed by a CA of %s", t->trust->where);
    else
        fail(t, "the certificate is not signed by a CA that this system trusts (--device-ca FILE "
                "names others)");
}

// What is wrong with a chain, the worst first. The dates are those of the peer's own certificate,
// or else of a CA.
static void fail_chain(struct tls *t, gnutls_x509_crt_t crt, unsigned status) {
    const time_t now = time(NULL);
    if ((status & (GNUTLS_CERT_SIGNER_NOT_FOUND | GNUTLS_CERT_SIGNATURE_FAILURE)) != 0)
        fail_signer(t);
    else if ((status & GNUTLS_CERT_EXPIRED) != 0)
        fail(t, gnutls_x509_crt_get_expiration_time(crt) < now
                    ? "the certificate has expired"
                    : "the certificate of its CA has expired");
    else if ((status & GNUTLS_CERT_NOT_ACTIVATED) != 0)
        fail(t, gnutls_x509_crt_get_activation_time(crt) > now
                    ? "the certificate is not valid yet: is a clock wrong?"
                    : "the certificate of its CA is not valid yet: is a clock wrong?");
    else if ((status & GNUTLS_CERT_SIGNER_NOT_CA) != 0)
        fail(t, "the certificate is signed by one that is no CA's");
    else if ((status & GNUTLS_CERT_PURPOSE_MISMATCH) != 0)
        fail(t, "the certificate is not for servers (its extended key usage)");
    else if ((status & GNUTLS_CERT_INSECURE_ALGORITHM) != 0)
        fail(t, "the certificate is signed by a weak algorithm, or its key is short");
    else
        fail(t, "the certificate is not to be believed (status 0x%x)", status);
}

static bool is_address(const char *text) {
    unsigned char address[sizeof(struct in6_addr)];
    return inet_pton(AF_INET, text, address) == 1 || inet_pton(AF_INET6, text, address) == 1;
}

static bool is_for(gnutls_x509_crt_t crt, const char *name) {
    unsigned char address[sizeof(struct in6_addr)];
    if (inet_pton(AF_INET, name, address) == 1)
        return gnutls_x509_crt_check_ip(crt, address, sizeof(struct in_addr), 0) != 0;
    if (inet_pton(AF_INET6, name, address) == 1)
        return gnutls_x509_crt_check_ip(crt, address, sizeof(struct in6_addr), 0) != 0;
    return gnutls_x509_crt_check_hostname2(crt, name, 0) != 0;
}

static void judge(struct tls *t, gnutls_x509_crt_t crt) {
    gnutls_typed_vdata_st purpose = {.type = GNUTLS_DT_KEY_PURPOSE_OID,
                                     .data = (unsigned char *)(uintptr_t)GNUTLS_KP_TLS_WWW_SERVER};
    unsigned status = 0;
    const int rc = gnutls_certificate_verify_peers(t->session, &purpose, 1, &status);
    if (rc < 0)
        fail(t, "the certificate cannot be judged: %s", gnutls_strerror(rc));
    else if (status != 0)
        fail_chain(t, crt, status);
    else if (!is_for(crt, t->name) && !is_for(crt, t->address))
        fail_names(t, crt);
}

static int verify(gnutls_session_t session) {
    struct tls *t = gnutls_session_get_ptr(session);
    gnutls_x509_crt_t crt = NULL;
    unsigned count = 0;
    const gnutls_datum_t *chain = gnutls_certificate_get_peers(session, &count);
    if (chain == NULL || count == 0 || gnutls_x509_crt_init(&crt) != 0 ||
        gnutls_x509_crt_import(crt, &chain[0], GNUTLS_X509_FMT_DER) != 0)
        fail(t, "the device shows no certificate that can be read");
    else
        judge(t, crt);
    if (crt != NULL) gnutls_x509_crt_deinit(crt);
    return t->failure[0] == '\0' ? 0 : GNUTLS_E_CERTIFICATE_ERROR;
}

// --- the wire

static ssize_t pull(gnutls_transport_ptr_t transport, void *data, size_t len) {
    struct tls *t = transport;
    if (t->in_left == 0) {
        gnutls_transport_set_errno(t->session, EAGAIN);
        return -1;
    }
    if (len > t->in_left) len = t->in_left;
    memcpy(data, t->in, len);
    t->in += len;
    t->in_left -= len;
    return (ssize_t)len;
}

static ssize_t push(gnutls_transport_ptr_t transport, const void *data, size_t len) {
    struct tls *t = transport;
    buf_add(&t->out, data, len);
    return (ssize_t)len;
}

static struct tls *tls_new(unsigned flags, gnutls_certificate_credentials_t credentials,
                           gnutls_priority_t priority) {
    struct tls *t = mem_zalloc(sizeof *t);
    int rc =
        gnutls_init(&t->session, flags | GNUTLS_NONBLOCK | GNUTLS_NO_SIGNAL | GNUTLS_NO_TICKETS);
    if (rc == 0) rc = gnutls_priority_set(t->session, priority);
    if (rc == 0) rc = gnutls_credentials_set(t->session, GNUTLS_CRD_CERTIFICATE, credentials);
    if (rc != 0) { // out of memory, or of random numbers
        fprintf(stderr, "tls: %s\n", gnutls_strerror(rc));
        abort();
    }
    gnutls_session_set_ptr(t->session, t);
    gnutls_transport_set_ptr(t->session, t);
    gnutls_transport_set_pull_function(t->session, pull);
    gnutls_transport_set_push_function(t->session, push);
    return t;
}

struct tls *tls_connect(struct tls_trust *trust, const char *name, const char *address) {
    struct tls *t = tls_new(GNUTLS_CLIENT, trust->credentials, trust->priority);
    t->trust = trust;
    t->name = name;
    t->address = address;
    // One that cannot stand there is left out: the certificate may still be for it.
    if (!is_address(name)) gnutls_server_name_set(t->session, GNUTLS_NAME_DNS, name, strlen(name));
    gnutls_handshake(t->session); // its first words; there is nothing to read yet
    return t;
}

struct tls *tls_accept(struct tls_identity *identity) {
    return tls_new(GNUTLS_SERVER, identity->credentials, identity->priority);
}

void tls_free(struct tls *t) {
    if (t == NULL) return;
    if (t->packet != NULL) gnutls_packet_deinit(t->packet);
    gnutls_deinit(t->session);
    buf_deinit(&t->kept);
    buf_deinit(&t->out);
    free(t);
}

// --- what is said

static const char *peer_of(const struct tls *t) {
    return t->trust != NULL ? "the device" : "the client";
}

void tls_feed(struct tls *t, const char *bytes, size_t len) {
    if (len > 0 && !t->has_heard) {
        t->has_heard = true;
        if (bytes[0] != HANDSHAKE && bytes[0] != ALERT)
            fail(t, "%s does not speak TLS", peer_of(t));
    }
    if (t->in_left == 0) {
        t->in = bytes;
        t->in_left = len;
        return;
    }
    struct buf all = {0};
    buf_add(&all, t->in, t->in_left);
    buf_add(&all, bytes, len);
    buf_deinit(&t->kept);
    t->kept = all;
    t->in = all.data;
    t->in_left = all.len;
}

void tls_keep(struct tls *t) {
    struct buf copy = {0};
    if (t->in_left == 0) return;
    buf_add(&copy, t->in, t->in_left);
    buf_deinit(&t->kept);
    t->kept = copy;
    t->in = copy.data;
}

// What was fed need not stay.
static enum tls_status none(struct tls *t) {
    tls_keep(t); // where GnuTLS has left any: it should not
    return TLS_NONE;
}

static void fail_alert(struct tls *t) {
    const gnutls_alert_description_t alert = gnutls_alert_get(t->session);
    const char *name = gnutls_alert_get_name(alert);
    fail(t,
         t->state == TLS_SHAKING_HANDS ? "%s refuses the handshake: %s (alert %d)"
                                       : "%s ends the session: %s (alert %d)",
         peer_of(t), name == NULL ? "unknown" : name, (int)alert);
}

static enum tls_status fail_code(struct tls *t, int code) {
    if (code == GNUTLS_E_FATAL_ALERT_RECEIVED)
        fail_alert(t);
    else if (code == GNUTLS_E_UNSUPPORTED_VERSION_PACKET)
        fail(t, "%s speaks neither TLS 1.2 nor 1.3", peer_of(t));
    else
        fail(t, "%s", gnutls_strerror(code));
    if (code != GNUTLS_E_FATAL_ALERT_RECEIVED) gnutls_alert_send_appropriate(t->session, code);
    t->state = TLS_HAS_FAILED;
    t->in_left = 0;
    return TLS_FAILED;
}

// Whether GnuTLS is to be called again: after a warning, say; and after each message that is no
// data (a ticket, new keys), where it says "again" whatever is left of what was fed. left: SIZE_MAX
// at first.
static bool goes_on(const struct tls *t, ssize_t rc, size_t *left) {
    if (rc >= 0) return false;
    if (rc != GNUTLS_E_AGAIN) return gnutls_error_is_fatal((int)rc) == 0;
    const bool has_taken = t->in_left < *left;
    *left = t->in_left;
    return has_taken && t->in_left > 0;
}

static enum tls_status shake_hands(struct tls *t) {
    size_t left = SIZE_MAX;
    int rc;
    do
        rc = gnutls_handshake(t->session);
    while (goes_on(t, rc, &left));
    if (rc == GNUTLS_E_AGAIN) return none(t);
    if (rc < 0) return fail_code(t, rc);
    t->state = TLS_IS_SECURED;
    return TLS_SECURED;
}

static enum tls_status take_record(struct tls *t, const char **data, size_t *len) {
    size_t left = SIZE_MAX;
    ssize_t rc;
    do
        rc = gnutls_record_recv_packet(t->session, &t->packet);
    while (goes_on(t, rc, &left));
    if (rc == GNUTLS_E_AGAIN) return none(t);
    if (rc < 0) return fail_code(t, (int)rc);
    if (rc == 0) {
        t->state = TLS_IS_CLOSED;
        t->in_left = 0;
        return TLS_CLOSED;
    }
    gnutls_datum_t plain;
    gnutls_packet_get(t->packet, &plain, NULL);
    *data = (const char *)plain.data;
    *len = plain.size;
    return TLS_DATA;
}

enum tls_status tls_next(struct tls *t, const char **data, size_t *len) {
    if (t->packet != NULL) gnutls_packet_deinit(t->packet);
    t->packet = NULL;
    switch (t->state) {
    case TLS_SHAKING_HANDS:
        if (t->failure[0] != '\0') return fail_code(t, GNUTLS_E_UNEXPECTED_PACKET);
        return shake_hands(t);
    case TLS_IS_SECURED:
        return take_record(t, data, len);
    case TLS_IS_CLOSED:
        return TLS_CLOSED;
    case TLS_HAS_FAILED:
        break;
    }
    return TLS_FAILED;
}

const char *tls_failure(const struct tls *t) {
    return t->failure;
}

bool tls_is_secured(const struct tls *t) {
    return t->state == TLS_IS_SECURED;
}

void tls_write(struct tls *t, const void *data, size_t len) {
    const char *rest = data;
    assert(t->state != TLS_SHAKING_HANDS);
    while (len > 0 && t->state != TLS_HAS_FAILED) {
        const ssize_t sent =
            gnutls_record_send(t->session, rest, len < RECORD_MAX ? len : RECORD_MAX);
        if (sent <= 0) return; // the session is over: reading tells of it
        rest += sent;
        len -= (size_t)sent;
    }
}

void tls_close(struct tls *t) {
    if (t->state == TLS_IS_SECURED || t->state == TLS_IS_CLOSED)
        gnutls_bye(t->session, GNUTLS_SHUT_WR);
}

struct buf *tls_out(struct tls *t) {
    return &t->out;
}

bool tls_is_alert(const char *bytes, size_t len) {
    return len >= 2 && bytes[0] == ALERT && bytes[1] == 3;
}
