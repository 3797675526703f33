// Two ends in memory: what one has to send is fed to the other, whole, in drips, or spoilt.
#include "common/tls.h"
#include "simulator/device_ca.h"
#include "tests/unit/support.h"

#include <errno.h>
#include <gnutls/gnutls.h>
#include <stdbool.h>
#include <stdio.h>
#include <unistd.h>

Suite *check_tls(void);

#define DAY_S (24LL * 60 * 60)
enum { WHOLE = 1 << 20 };

static struct device_ca *ca, *other_ca;
static char ca_path[] = "/tmp/check_tls.XXXXXX";
static struct tls_trust *trust;

static void write_text(const char *path, const struct buf *text) {
    FILE *file = fopen(path, "w");
    ck_assert_ptr_nonnull(file);
    ck_assert_uint_eq(fwrite(text->data, 1, text->len, file), text->len);
    ck_assert_int_eq(fclose(file), 0);
}

static void set_up(void) {
    struct error err;
    strcpy(ca_path + strlen(ca_path) - 6, "XXXXXX"); // NOLINT(clang-analyzer-security*)
    ck_assert_int_eq(device_ca_new(&ca, &err), 0);
    ck_assert_int_eq(device_ca_new(&other_ca, &err), 0);
    close(mkstemp(ca_path));
    write_text(ca_path, device_ca_certificate(ca));
    int rc = tls_trust_load(&trust, ca_path, "--device-ca", &err);
    ck_assert_msg(rc == 0, "%s", err.text);
}

static void tear_down(void) {
    tls_trust_free(trust);
    device_ca_free(ca);
    device_ca_free(other_ca);
    unlink(ca_path);
}

static struct tls_identity *issue(const struct device_ca *by,
                                  const struct device_certificate *what) {
    struct tls_identity *identity = NULL;
    struct error err;
    int rc = device_ca_issue(by, what, &identity, &err);
    ck_assert_msg(rc == 0, "%s", err.text);
    return identity;
}

static const char *const loopback[] = {"127.0.0.1", NULL};
static const struct device_certificate usual = {.names = loopback};

// --- two ends

struct end {
    struct tls *tls;
    struct buf heard;
    bool is_secured, is_closed, has_failed;
    unsigned pieces; // of data
};

struct pair {
    struct tls_identity *identity;
    struct end client, server;
};

static void take(struct end *e) {
    const char *data = NULL;
    size_t len = 0;
    for (;;) {
        switch (tls_next(e->tls, &data, &len)) {
        case TLS_NONE:
            return;
        case TLS_SECURED:
            ck_assert(!e->is_secured);
            e->is_secured = true;
            break;
        case TLS_DATA:
            ck_assert(e->is_secured);
            buf_add(&e->heard, data, len);
            e->pieces++;
            break;
        case TLS_CLOSED:
            e->is_closed = true;
            return;
        case TLS_FAILED:
            e->has_failed = true;
            return;
        }
    }
}

// Hands over what one has to send, so many bytes at a time, each in memory of its own size, so that
// a sanitizer sees a read past it or after it.
static bool hand_over(struct end *from, struct end *to, size_t drip) {
    struct buf wire = *tls_out(from->tls);
    const bool had_any = wire.len > 0;
    *tls_out(from->tls) = (struct buf){0};
    for (size_t at = 0; at < wire.len; at += drip) {
        const size_t len = wire.len - at < drip ? wire.len - at : drip;
        char *bytes = mem_alloc(len);
        memcpy(bytes, wire.data + at, len);
        tls_feed(to->tls, bytes, len);
        take(to);
        free(bytes);
    }
    buf_deinit(&wire);
    return had_any;
}

static void talk(struct pair *p, size_t drip) {
    while (hand_over(&p->client, &p->server, drip) || hand_over(&p->server, &p->client, drip))
        ;
}

static struct pair pair_of(struct tls_identity *identity, const char *name, const char *address) {
    return (struct pair){.identity = identity,
                         .client.tls = tls_connect(trust, name, address),
                         .server.tls = tls_accept(identity)};
}

static void end_deinit(struct end *e) {
    tls_free(e->tls);
    buf_deinit(&e->heard);
}

static void part(struct pair *p) {
    end_deinit(&p->client);
    end_deinit(&p->server);
    tls_identity_free(p->identity);
}

static struct pair secured_pair(size_t drip) {
    struct pair p = pair_of(issue(ca, &usual), "leaf00.earth", "127.0.0.1");
    talk(&p, drip);
    ck_assert_msg(p.client.is_secured && p.server.is_secured, "%s / %s", tls_failure(p.client.tls),
                  tls_failure(p.server.tls));
    return p;
}

static void assert_heard(const struct end *e, const char *text) {
    ck_assert_uint_eq(e->heard.len, strlen(text));
    ck_assert_mem_eq(e->heard.data, text, strlen(text));
}

// --- what goes well

START_TEST(both_ends_hear_what_the_other_says_however_it_comes) {
    static const size_t drips[] = {WHOLE, 1, 5, 17, 1000};
    for (size_t i = 0; i < COUNT(drips); i++) {
        struct pair p = secured_pair(drips[i]);
        tls_write(p.client.tls, "login\nget_version\n", 18);
        talk(&p, drips[i]);
        assert_heard(&p.server, "login\nget_version\n");
        ck_assert_uint_eq(p.server.pieces, 1); // written at once: one record
        tls_write(p.server.tls, "yes\n", 4);
        tls_write(p.server.tls, "5.2.1\n", 6);
        talk(&p, drips[i]);
        assert_heard(&p.client, "yes\n5.2.1\n");
        part(&p);
    }
}
END_TEST

START_TEST(what_is_longer_than_a_record_comes_whole) {
    struct pair p = secured_pair(WHOLE);
    struct buf text = {0};
    for (int i = 0; i < 20000; i++)
        buf_addf(&text, "%d,", i);
    tls_write(p.server.tls, text.data, text.len);
    talk(&p, 1000);
    assert_heard(&p.client, text.data);
    buf_deinit(&text);
    part(&p);
}
END_TEST

// The last words of the handshake and the first of the client come as one.
START_TEST(a_client_may_write_as_soon_as_it_is_secured) {
    struct pair p = pair_of(issue(ca, &usual), "leaf00.earth", "127.0.0.1");
    hand_over(&p.client, &p.server, WHOLE);
    hand_over(&p.server, &p.client, WHOLE);
    ck_assert(p.client.is_secured);
    tls_write(p.client.tls, "login\n", 6);
    hand_over(&p.client, &p.server, WHOLE);
    ck_assert(p.server.is_secured);
    assert_heard(&p.server, "login\n");
    part(&p);
}
END_TEST

START_TEST(the_end_is_told_and_stays) {
    struct pair p = secured_pair(WHOLE);
    tls_write(p.server.tls, "bye\n", 4);
    tls_close(p.server.tls);
    talk(&p, 3);
    assert_heard(&p.client, "bye\n");
    ck_assert(p.client.is_closed);
    const char *data;
    size_t len;
    ck_assert_int_eq(tls_next(p.client.tls, &data, &len), TLS_CLOSED);
    part(&p);
}
END_TEST

// In the midst of what it had to tell, its owner may have more.
START_TEST(what_is_fed_behind_what_is_left_comes_after_it) {
    struct pair p = secured_pair(WHOLE);
    const char *data = NULL;
    size_t len = 0;
    struct buf one = {0}, two = {0};
    tls_write(p.client.tls, "one\n", 4);
    tls_write(p.client.tls, "two\n", 4);
    one = *tls_out(p.client.tls);
    *tls_out(p.client.tls) = (struct buf){0};
    tls_write(p.client.tls, "three\n", 6);
    two = *tls_out(p.client.tls);
    *tls_out(p.client.tls) = (struct buf){0};
    tls_feed(p.server.tls, one.data, one.len);
    ck_assert_int_eq(tls_next(p.server.tls, &data, &len), TLS_DATA);
    ck_assert_mem_eq(data, "one\n", len);
    tls_feed(p.server.tls, two.data, two.len);
    ck_assert_int_eq(tls_next(p.server.tls, &data, &len), TLS_DATA);
    ck_assert_mem_eq(data, "two\n", len);
    ck_assert_int_eq(tls_next(p.server.tls, &data, &len), TLS_DATA);
    ck_assert_mem_eq(data, "three\n", len);
    ck_assert_int_eq(tls_next(p.server.tls, &data, &len), TLS_NONE);
    buf_deinit(&one);
    buf_deinit(&two);
    part(&p);
}
END_TEST

// --- whom a client believes

static const char *const by_name[] = {"leaf00.earth", NULL}, *const other[] = {"other.earth", NULL},
                         *const both[] = {"other.earth", "10.0.0.1", "::1", "third.earth", NULL},
                         *const wild[] = {"*.row.earth", NULL},
                         *const six[] = {"2001:db8::7", NULL}, *const nobody[] = {NULL};

static const struct {
    const char *const *names;
    long long from_s, to_s;
    bool by_other, for_clients;
    const char *name, *address;
    const char *why; // NULL: believed
} certificates[] = {
    {.names = loopback, .name = "leaf00.earth", .address = "127.0.0.1"},
    {.names = by_name, .name = "leaf00.earth", .address = "127.0.0.1"},
    {.names = by_name, .name = "anything", .address = "leaf00.earth"},
    {.names = wild, .name = "leaf00.row.earth", .address = "127.0.0.1"},
    {.names = six, .name = "leaf00.earth", .address = "2001:db8::7"},
    {.names = loopback, .name = "127.0.0.1", .address = "10.0.0.9"},
    {.names = by_name, .name = "LEAF00.earth", .address = "10.0.0.9"},
    {.names = other,
     .name = "leaf00.earth",
     .address = "127.0.0.1",
     .why = "tls: the certificate is for other.earth, not for leaf00.earth or 127.0.0.1"},
    {.names = both,
     .name = "leaf00.earth",
     .address = "10.0.0.2",
     .why = "tls: the certificate is for other.earth, 10.0.0.1, ::1, not for leaf00.earth or "
            "10.0.0.2"},
    {.names = nobody,
     .name = "leaf00.earth",
     .address = "10.0.0.2",
     .why = "tls: the certificate is for simulated device, not for leaf00.earth or 10.0.0.2"},
    {.names = six,
     .name = "leaf00.earth",
     .address = "2001:db8::8",
     .why = "tls: the certificate is for 2001:db8::7, not for leaf00.earth or 2001:db8::8"},
    {.names = wild,
     .name = "row.earth",
     .address = "10.0.0.2",
     .why = "tls: the certificate is for *.row.earth, not for row.earth or 10.0.0.2"},
    {.names = loopback,
     .by_other = true,
     .name = "leaf00.earth",
     .address = "127.0.0.1",
     .why = "tls: the certificate is not signed by a CA of --device-ca"},
    {.names = loopback,
     .from_s = -2 * DAY_S,
     .to_s = -DAY_S,
     .name = "leaf00.earth",
     .address = "127.0.0.1",
     .why = "tls: the certificate has expired"},
    {.names = loopback,
     .from_s = DAY_S,
     .to_s = 2 * DAY_S,
     .name = "leaf00.earth",
     .address = "127.0.0.1",
     .why = "tls: the certificate is not valid yet: is a clock wrong?"},
    {.names = loopback,
     .for_clients = true,
     .name = "leaf00.earth",
     .address = "127.0.0.1",
     .why = "tls: the certificate is not for servers (its extended key usage)"},
};

START_TEST(a_certificate_is_believed_or_what_is_wrong_with_it_is_told) {
    const struct device_certificate what = {.names = certificates[_i].names,
                                            .from_s = certificates[_i].from_s,
                                            .to_s = certificates[_i].to_s,
                                            .for_clients = certificates[_i].for_clients};
    struct pair p = pair_of(issue(certificates[_i].by_other ? other_ca : ca, &what),
                            certificates[_i].name, certificates[_i].address);
    talk(&p, WHOLE);
    if (certificates[_i].why == NULL) {
        ck_assert_msg(p.client.is_secured, "%s", tls_failure(p.client.tls));
        ck_assert(p.server.is_secured);
    } else {
        ck_assert(p.client.has_failed && !p.client.is_secured);
        ck_assert_str_eq(tls_failure(p.client.tls), certificates[_i].why);
        ck_assert(p.server.has_failed); // it is told, too
        ck_assert_msg(strstr(tls_failure(p.server.tls), "tls: the client ") != NULL, "%s",
                      tls_failure(p.server.tls));
    }
    part(&p);
}
END_TEST

// --- a server as others are: it gives tickets, and changes its keys

struct other_server {
    gnutls_session_t session;
    gnutls_certificate_credentials_t credentials;
    gnutls_datum_t ticket_key;
    struct buf in, out;
    size_t taken;
};

static ssize_t other_push(gnutls_transport_ptr_t arg, const void *bytes, size_t len) {
    buf_add(&((struct other_server *)arg)->out, bytes, len);
    return (ssize_t)len;
}

static ssize_t other_pull(gnutls_transport_ptr_t arg, void *bytes, size_t len) {
    struct other_server *s = arg;
    const size_t left = s->in.len - s->taken;
    if (left == 0) {
        gnutls_transport_set_errno(s->session, EAGAIN);
        return -1;
    }
    if (len > left) len = left;
    memcpy(bytes, s->in.data + s->taken, len);
    s->taken += len;
    return (ssize_t)len;
}

static void other_start(struct other_server *s) {
    struct buf certificate = {0}, key = {0};
    struct error err;
    ck_assert_int_eq(device_ca_issue_pem(ca, &usual, &certificate, &key, &err), 0);
    const gnutls_datum_t pem = {(unsigned char *)certificate.data, (unsigned)certificate.len},
                         key_pem = {(unsigned char *)key.data, (unsigned)key.len};
    ck_assert_int_eq(gnutls_certificate_allocate_credentials(&s->credentials), 0);
    ck_assert_int_eq(
        gnutls_certificate_set_x509_key_mem(s->credentials, &pem, &key_pem, GNUTLS_X509_FMT_PEM),
        0);
    ck_assert_int_eq(gnutls_init(&s->session, GNUTLS_SERVER | GNUTLS_NONBLOCK), 0);
    ck_assert_int_eq(gnutls_set_default_priority(s->session), 0);
    gnutls_credentials_set(s->session, GNUTLS_CRD_CERTIFICATE, s->credentials);
    ck_assert_int_eq(gnutls_session_ticket_key_generate(&s->ticket_key), 0);
    ck_assert_int_eq(gnutls_session_ticket_enable_server(s->session, &s->ticket_key), 0);
    gnutls_transport_set_ptr(s->session, s);
    gnutls_transport_set_push_function(s->session, other_push);
    gnutls_transport_set_pull_function(s->session, other_pull);
    buf_deinit(&certificate);
    buf_deinit(&key);
}

static void other_end(struct other_server *s) {
    gnutls_deinit(s->session);
    gnutls_certificate_free_credentials(s->credentials);
    gnutls_free(s->ticket_key.data);
    buf_deinit(&s->in);
    buf_deinit(&s->out);
}

// All that it has said, in one piece that is gone behind the call.
static void hear_other(struct other_server *s, struct end *client, size_t drip) {
    for (size_t at = 0; at < s->out.len; at += drip) {
        const size_t len = s->out.len - at < drip ? s->out.len - at : drip;
        char *bytes = mem_alloc(len);
        memcpy(bytes, s->out.data + at, len);
        tls_feed(client->tls, bytes, len);
        take(client);
        free(bytes);
    }
    buf_clear(&s->out);
    buf_add(&s->in, tls_out(client->tls)->data, tls_out(client->tls)->len);
    buf_clear(tls_out(client->tls));
}

START_TEST(tickets_and_new_keys_lose_nothing_of_what_comes_with_them) {
    static const size_t drips[] = {WHOLE, 1, 7, 100};
    for (size_t i = 0; i < COUNT(drips); i++) {
        struct other_server s = {0};
        struct end client = {.tls = tls_connect(trust, "leaf00.earth", "127.0.0.1")};
        other_start(&s);
        buf_add(&s.in, tls_out(client.tls)->data, tls_out(client.tls)->len);
        buf_clear(tls_out(client.tls));
        while (gnutls_handshake(s.session) != 0)
            hear_other(&s, &client, drips[i]);
        ck_assert(client.is_secured);
        ck_assert_int_eq(gnutls_record_send(s.session, "one ", 4), 4);
        ck_assert_int_eq(gnutls_session_key_update(s.session, GNUTLS_KU_PEER), 0);
        ck_assert_int_eq(gnutls_record_send(s.session, "two ", 4), 4);
        ck_assert_int_eq(gnutls_session_ticket_send(s.session, 2, 0), 0);
        ck_assert_int_eq(gnutls_record_send(s.session, "three", 5), 5);
        hear_other(&s, &client, drips[i]);
        ck_assert_msg(!client.has_failed, "%s", tls_failure(client.tls));
        assert_heard(&client, "one two three");
        char heard[8];
        tls_write(client.tls, "four", 4); // under the keys that it was asked for
        buf_add(&s.in, tls_out(client.tls)->data, tls_out(client.tls)->len);
        buf_clear(tls_out(client.tls));
        ssize_t got;
        do
            got = gnutls_record_recv(s.session, heard, sizeof heard);
        while (got == GNUTLS_E_AGAIN && s.taken < s.in.len);
        ck_assert_int_eq(got, 4);
        end_deinit(&client);
        other_end(&s);
    }
}
END_TEST

START_TEST(several_cas_may_stand_in_a_file) {
    struct buf text = {0};
    struct error err;
    tls_trust_free(trust);
    buf_adds(&text, "# whose\n");
    buf_add(&text, device_ca_certificate(other_ca)->data, device_ca_certificate(other_ca)->len);
    buf_add(&text, device_ca_certificate(ca)->data, device_ca_certificate(ca)->len);
    write_text(ca_path, &text);
    ck_assert_int_eq(tls_trust_load(&trust, ca_path, "--device-ca", &err), 0);
    const struct device_ca *const all[] = {ca, other_ca};
    for (size_t i = 0; i < COUNT(all); i++) {
        struct pair p = pair_of(issue(all[i], &usual), "leaf00.earth", "127.0.0.1");
        talk(&p, WHOLE);
        ck_assert(p.client.is_secured);
        part(&p);
    }
    buf_deinit(&text);
}
END_TEST

START_TEST(what_the_system_trusts_is_no_ca_of_ours) {
    struct error err;
    struct tls_trust *system = NULL;
    if (tls_trust_load(&system, NULL, NULL, &err) != 0) {
        ck_assert_str_eq(err.text,
                         "this system trusts no CA: --device-ca FILE names those of the devices");
        return;
    }
    struct pair p = {.identity = issue(ca, &usual),
                     .client.tls = tls_connect(system, "leaf00.earth", "127.0.0.1")};
    p.server.tls = tls_accept(p.identity);
    talk(&p, WHOLE);
    ck_assert_str_eq(tls_failure(p.client.tls),
                     "tls: the certificate is not signed by a CA that this system trusts "
                     "(--device-ca FILE names others)");
    part(&p);
    tls_trust_free(system);
}
END_TEST

static const struct {
    const char *text, *why;
} files[] = {
    {"", "it holds no certificate: expected PEM, -----BEGIN CERTIFICATE-----"},
    {"hello\n", "it holds no certificate: expected PEM, -----BEGIN CERTIFICATE-----"},
    {"-----BEGIN EC PRIVATE KEY-----\nAAAA\n-----END EC PRIVATE KEY-----\n",
     "it holds no certificate: expected PEM, -----BEGIN CERTIFICATE-----"},
    {"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
     "a certificate of it cannot be read: "},
    {"-----BEGIN CERTIFICATE-----\nMIIB", "it holds no certificate"},
};

START_TEST(a_file_without_a_ca_is_refused_and_the_reason_is_told) {
    struct tls_trust *none = NULL;
    struct error err;
    struct buf text = {0};
    for (size_t i = 0; i < COUNT(files); i++) {
        buf_clear(&text);
        buf_adds(&text, files[i].text);
        write_text(ca_path, &text);
        ck_assert_int_ne(tls_trust_load(&none, ca_path, "--device-ca", &err), 0);
        ck_assert_msg(strstr(err.text, files[i].why) != NULL, "%s", err.text);
        ck_assert_msg(strncmp(err.text, ca_path, strlen(ca_path)) == 0, "%s", err.text);
    }
    ck_assert_int_lt(tls_trust_load(&none, "/nowhere/ca.pem", "--device-ca", &err), 0);
    ck_assert_msg(strstr(err.text, "/nowhere/ca.pem") != NULL, "%s", err.text);
    ck_assert_ptr_null(none);
    buf_deinit(&text);
}
END_TEST

START_TEST(one_broken_certificate_among_good_ones_is_refused) {
    struct tls_trust *none = NULL;
    struct error err;
    struct buf text = {0};
    buf_add(&text, device_ca_certificate(ca)->data, device_ca_certificate(ca)->len);
    buf_adds(&text, files[3].text);
    write_text(ca_path, &text);
    ck_assert_int_ne(tls_trust_load(&none, ca_path, "--device-ca", &err), 0);
    ck_assert_msg(strstr(err.text, files[3].why) != NULL, "%s", err.text);
    buf_deinit(&text);
}
END_TEST

// --- what goes wrong on the wire

START_TEST(a_device_that_speaks_plain_text_is_told_at_its_first_byte) {
    static const char *const texts[] = {"{", "{\"jsonrpc\": \"2.0\"}\n", "\n", "SSH-2.0-x\r\n",
                                        "\x80\x03"};
    for (size_t i = 0; i < COUNT(texts); i++) {
        struct end client = {.tls = tls_connect(trust, "leaf00.earth", "127.0.0.1")};
        tls_feed(client.tls, texts[i], strlen(texts[i]));
        take(&client);
        ck_assert(client.has_failed);
        ck_assert_str_eq(tls_failure(client.tls), "tls: the device does not speak TLS");
        end_deinit(&client);
    }
}
END_TEST

START_TEST(a_client_that_speaks_plain_text_gets_an_alert) {
    struct tls_identity *identity = issue(ca, &usual);
    struct end server = {.tls = tls_accept(identity)};
    tls_feed(server.tls, "{\"jsonrpc\": \"2.0\"}\n", 19);
    take(&server);
    ck_assert(server.has_failed);
    ck_assert_str_eq(tls_failure(server.tls), "tls: the client does not speak TLS");
    ck_assert(tls_is_alert(tls_out(server.tls)->data, tls_out(server.tls)->len));
    end_deinit(&server);
    tls_identity_free(identity);
}
END_TEST

START_TEST(an_alert_is_told_from_an_answer) {
    static const char json[] = "{\"jsonrpc\": \"2.0\"}";
    ck_assert(tls_is_alert("\x15\x03\x03\x00\x02", 5));
    ck_assert(!tls_is_alert("\x15", 1));
    ck_assert(!tls_is_alert("\x16\x03\x03\x00\x02", 5));
    ck_assert(!tls_is_alert(json, sizeof json - 1));
    ck_assert(!tls_is_alert("", 0));
}
END_TEST

START_TEST(an_alert_instead_of_a_handshake_is_told_by_its_name) {
    struct end client = {.tls = tls_connect(trust, "leaf00.earth", "127.0.0.1")};
    tls_feed(client.tls, "\x15\x03\x03\x00\x02\x02\x28", 7);
    take(&client);
    ck_assert(client.has_failed);
    ck_assert_str_eq(tls_failure(client.tls),
                     "tls: the device refuses the handshake: Handshake failed (alert 40)");
    end_deinit(&client);
}
END_TEST

// A record that lost its end says nothing, however much of it came: no line can be made of it.
START_TEST(a_truncated_record_is_no_data) {
    struct pair p = secured_pair(WHOLE);
    tls_write(p.server.tls, "{\"result\": true}\n", 17);
    struct buf *wire = tls_out(p.server.tls);
    for (size_t at = 0; at + 1 < wire->len; at++) {
        tls_feed(p.client.tls, wire->data + at, 1);
        take(&p.client);
        ck_assert_uint_eq(p.client.heard.len, 0);
        ck_assert(!p.client.is_closed && !p.client.has_failed);
    }
    part(&p);
}
END_TEST

START_TEST(a_record_that_was_changed_on_the_way_fails) {
    struct pair p = secured_pair(WHOLE);
    tls_write(p.server.tls, "5.3.1\n", 6);
    struct buf *wire = tls_out(p.server.tls);
    wire->data[wire->len - 1] ^= 1;
    hand_over(&p.server, &p.client, WHOLE);
    ck_assert(p.client.has_failed);
    ck_assert_uint_eq(p.client.heard.len, 0);
    ck_assert_msg(strncmp(tls_failure(p.client.tls), "tls: ", 5) == 0, "%s",
                  tls_failure(p.client.tls));
    part(&p);
}
END_TEST

// Whatever is changed in a handshake, it is not taken for one that went well by both, and nobody
// reads past anything.
START_TEST(a_handshake_that_was_changed_on_the_way_fails_or_waits) {
    for (size_t at = 0; at < 1200; at += 7) {
        struct pair p = pair_of(issue(ca, &usual), "leaf00.earth", "127.0.0.1");
        hand_over(&p.client, &p.server, WHOLE);
        struct buf *wire = tls_out(p.server.tls);
        ck_assert_uint_gt(wire->len, 400);
        wire->data[at % wire->len] ^= 0x11;
        talk(&p, WHOLE);
        ck_assert(!p.client.is_secured || !p.server.is_secured || p.client.has_failed ||
                  p.server.has_failed);
        part(&p);
    }
}
END_TEST

Suite *check_tls(void) {
    Suite *suite = suite_create("tls");
    TCase *tcase = tcase_create("tls");
    suite_add_tcase(suite, tcase);
    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_set_timeout(tcase, 60);
    tcase_add_test(tcase, both_ends_hear_what_the_other_says_however_it_comes);
    tcase_add_test(tcase, what_is_longer_than_a_record_comes_whole);
    tcase_add_test(tcase, a_client_may_write_as_soon_as_it_is_secured);
    tcase_add_test(tcase, the_end_is_told_and_stays);
    tcase_add_test(tcase, what_is_fed_behind_what_is_left_comes_after_it);
    tcase_add_loop_test(tcase, a_certificate_is_believed_or_what_is_wrong_with_it_is_told, 0,
                        COUNT(certificates));
    tcase_add_test(tcase, tickets_and_new_keys_lose_nothing_of_what_comes_with_them);
    tcase_add_test(tcase, several_cas_may_stand_in_a_file);
    tcase_add_test(tcase, what_the_system_trusts_is_no_ca_of_ours);
    tcase_add_test(tcase, a_file_without_a_ca_is_refused_and_the_reason_is_told);
    tcase_add_test(tcase, one_broken_certificate_among_good_ones_is_refused);
    tcase_add_test(tcase, a_device_that_speaks_plain_text_is_told_at_its_first_byte);
    tcase_add_test(tcase, a_client_that_speaks_plain_text_gets_an_alert);
    tcase_add_test(tcase, an_alert_is_told_from_an_answer);
    tcase_add_test(tcase, an_alert_instead_of_a_handshake_is_told_by_its_name);
    tcase_add_test(tcase, a_truncated_record_is_no_data);
    tcase_add_test(tcase, a_record_that_was_changed_on_the_way_fails);
    tcase_add_test(tcase, a_handshake_that_was_changed_on_the_way_fails_or_waits);
    return suite;
}
