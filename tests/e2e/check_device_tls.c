// TLS to devices: stand-ins that do it wrong, each in its way, and two networks of which one speaks
// it. What the simulator can do is in scenarios/tls/.
#include "common/buf.h"
#include "common/count.h"
#include "common/mem.h"
#include "common/tls.h"
#include "simulator/device_ca.h"
#include "tests/e2e/harness.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

Suite *check_device_tls(void);

#define DAY_S (24LL * 60 * 60)

static struct device_ca *ca, *other_ca;
static char ca_path[64], inventory[64];
static int listener;
static uint16_t port;
static struct lab lab;

static void write_text(char path[64], const char *name, const char *text, size_t len) {
    snprintf(path, 64, "/tmp/e2e-%s-XXXXXX", name);
    const int fd = mkstemp(path);
    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(write(fd, text, len), (ssize_t)len);
    close(fd);
}

static void make_cas(void) {
    struct error err;
    ck_assert_int_eq(device_ca_new(&ca, &err), 0);
    ck_assert_int_eq(device_ca_new(&other_ca, &err), 0);
    write_text(ca_path, "ca", device_ca_certificate(ca)->data, device_ca_certificate(ca)->len);
}

static void free_cas(void) {
    device_ca_free(ca);
    device_ca_free(other_ca);
    unlink(ca_path);
}

static void listen_for_device(void) {
    struct sockaddr_in in = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    socklen_t len = sizeof in;
    listener = socket(AF_INET, SOCK_STREAM, 0);
    ck_assert_int_eq(bind(listener, (struct sockaddr *)&in, len), 0);
    ck_assert_int_eq(listen(listener, 8), 0);
    ck_assert_int_eq(getsockname(listener, (struct sockaddr *)&in, &len), 0);
    port = ntohs(in.sin_port);
}

// One device, edge00.earth, which is ours to play.
static void start(bool tls, const char *connect_timeout) {
    struct buf text = {0};
    make_cas();
    listen_for_device();
    buf_addf(&text,
             "earth: {edge00.earth: {platform: acmeos, dev_type: edge, rack: '10', hostname: "
             "127.0.0.1, port: %u, tls: %s}}\n",
             port, tls ? "true" : "false");
    write_text(inventory, "inventory", text.data, text.len);
    buf_deinit(&text);
    lab = lab_start(ARGS("--latency", "0"),
                    ARGS("--inventory", inventory, "--device-ca", ca_path, "--connect-timeout",
                         connect_timeout, "--install-timeout", "20s"));
}

static void stop(void) {
    lab_stop(&lab);
    close(listener);
    unlink(inventory);
    free_cas();
}

static struct call *begin(void) {
    return call_start(lab.api, "/upgrade-os/", "{\"version\": \"5.3.1\"}");
}

static void assert_failed(struct call *call, const char *why) {
    char line[300];
    assert_answer(call_wait(call), 200,
                  "{\"failed\": [\"edge00.earth\"], \"skipped\": [], \"completed\": []}");
    snprintf(line, sizeof line, "completed host:edge00.earth:connect to 127.0.0.1:%u: %s", port,
             why);
    assert_logged(&lab, line);
}

static int accept_one(void) {
    const int fd = accept(listener, NULL, NULL);
    ck_assert_int_ge(fd, 0);
    return fd;
}

// --- a device that speaks TLS

struct device {
    int fd;
    struct tls *tls;
    struct tls_identity *identity;
    struct buf heard;
    bool drips, is_over;
};

static void flush(struct device *d) {
    struct buf *out = tls_out(d->tls);
    const size_t step = d->drips ? 1 : out->len;
    for (size_t at = 0; at < out->len; at += step)
        if (write(d->fd, out->data + at, step) != (ssize_t)step) break;
    buf_clear(out);
}

static void take(struct device *d) {
    const char *data = NULL;
    size_t len = 0;
    enum tls_status status;
    while ((status = tls_next(d->tls, &data, &len)) == TLS_SECURED || status == TLS_DATA)
        if (status == TLS_DATA) buf_add(&d->heard, data, len);
    if (status != TLS_NONE) d->is_over = true;
    flush(d);
}

static void hear(struct device *d) {
    char bytes[4096];
    const ssize_t len = read(d->fd, bytes, d->drips ? 1 : sizeof bytes);
    if (len <= 0) {
        d->is_over = true;
        return;
    }
    tls_feed(d->tls, bytes, (size_t)len);
    take(d);
}

static struct device shake_hands(const struct device_ca *by, const struct device_certificate *what,
                                 bool drips) {
    struct device d = {.fd = accept_one(), .drips = drips};
    struct error err;
    ck_assert_int_eq(device_ca_issue(by, what, &d.identity, &err), 0);
    d.tls = tls_accept(d.identity);
    while (!tls_is_secured(d.tls) && !d.is_over)
        hear(&d);
    return d;
}

static void device_deinit(struct device *d) {
    close(d->fd);
    tls_free(d->tls);
    tls_identity_free(d->identity);
    buf_deinit(&d->heard);
}

static const char *const loopback[] = {"127.0.0.1", NULL};
static const struct device_certificate usual = {.names = loopback};

// Reads the next question, and leaves its answer to be sent. False: none came.
static bool answer(struct device *d, const char *method, const char *result, struct buf *out) {
    char *lf;
    while (d->heard.len == 0 || (lf = memchr(d->heard.data, '\n', d->heard.len)) == NULL) {
        if (d->is_over) return false;
        hear(d);
    }
    *lf = '\0';
    cJSON *request = cJSON_Parse(d->heard.data);
    ck_assert_str_eq(cJSON_GetObjectItem(request, "method")->valuestring, method);
    buf_addf(out, "{\"jsonrpc\": \"2.0\", \"id\": %.0f, \"result\": %s}\n",
             cJSON_GetObjectItem(request, "id")->valuedouble, result);
    cJSON_Delete(request);
    buf_drop(&d->heard, (size_t)(lf + 1 - d->heard.data));
    return true;
}

static void say(struct device *d, struct buf *text) {
    tls_write(d->tls, text->data, text->len);
    flush(d);
    buf_clear(text);
}

static const char login[] = "{\"hostname\": \"edge00.earth\", \"platform\": \"acmeos\"}",
                  old[] = "{\"os_version\": \"5.2\", \"revision\": \"1\", \"full_version\": "
                          "\"5.2.1\"}",
                  new[] = "{\"os_version\": \"5.3\", \"revision\": \"1\", \"full_version\": "
                          "\"5.3.1\"}";

static void say_version(struct device *d, const char *version) {
    struct buf text = {0};
    ck_assert(answer(d, "login", login, &text));
    ck_assert(answer(d, "get_version", version, &text));
    say(d, &text);
    buf_deinit(&text);
}

static void say_goodbye(struct device *d) {
    struct buf text = {0};
    ck_assert(answer(d, "logout", "true", &text));
    say(d, &text);
    while (!d->is_over)
        hear(d);
    buf_deinit(&text);
}

START_TEST(a_handshake_that_comes_byte_by_byte_is_as_good_as_any) {
    start(true, "20s");
    struct call *call = begin();
    struct device d = shake_hands(ca, &usual, true);
    ck_assert_msg(tls_is_secured(d.tls), "%s", tls_failure(d.tls));
    say_version(&d, new);
    say_goodbye(&d);
    ck_assert_str_eq(tls_failure(d.tls), ""); // it said that it was all
    assert_answer(call_wait(call), 200,
                  "{\"failed\": [], \"skipped\": [], \"completed\": [\"edge00.earth\"]}");
    device_deinit(&d);
    stop();
}
END_TEST

// --- certificates that are not to be believed

static const char *const other[] = {"other.earth", NULL};

static const struct {
    const char *const *names;
    long long from_s, to_s;
    bool by_other;
    const char *why;
} certificates[] = {
    {loopback, 0, 0, true, "tls: the certificate is not signed by a CA of --device-ca"},
    {loopback, -2 * DAY_S, -DAY_S, false, "tls: the certificate has expired"},
    {loopback, DAY_S, 2 * DAY_S, false, "tls: the certificate is not valid yet: is a clock wrong?"},
    {other, 0, 0, false,
     "tls: the certificate is for other.earth, not for edge00.earth or 127.0.0.1"},
};

// Nothing of what is said to a device is said to another.
START_TEST(a_device_with_a_wrong_certificate_fails_and_hears_no_password) {
    start(true, "20s");
    for (size_t i = 0; i < COUNT(certificates); i++) {
        const struct device_certificate what = {.names = certificates[i].names,
                                                .from_s = certificates[i].from_s,
                                                .to_s = certificates[i].to_s};
        struct call *call = begin();
        struct device d = shake_hands(certificates[i].by_other ? other_ca : ca, &what, false);
        while (!d.is_over)
            hear(&d);
        ck_assert_uint_eq(d.heard.len, 0);
        assert_failed(call, certificates[i].why);
        device_deinit(&d);
    }
    stop();
}
END_TEST

// --- devices that do not speak TLS, or not to the end

START_TEST(a_device_that_speaks_plain_text_fails_at_once) {
    start(true, "20s");
    struct call *call = begin();
    const int fd = accept_one();
    send_text(fd, "{\"jsonrpc\": \"2.0\", \"id\": null, \"error\": {\"code\": -32700}}\n");
    assert_failed(call, "tls: the device does not speak TLS");
    close(fd);
    stop();
}
END_TEST

START_TEST(a_device_that_is_silent_fails_at_the_connect_timeout) {
    start(true, "500ms");
    struct call *call = begin();
    const int fd = accept_one();
    assert_failed(call, "tls: no answer to the handshake in time: does the device speak TLS?");
    close(fd);
    stop();
}
END_TEST

// A drip keeps nobody: the time is of the handshake as a whole.
START_TEST(a_handshake_that_never_ends_fails_at_the_connect_timeout) {
    start(true, "500ms");
    struct call *call = begin();
    const int fd = accept_one();
    send_text(fd, "\x16\x03\x03\x01");
    assert_failed(call, "tls: no answer to the handshake in time: does the device speak TLS?");
    close(fd);
    stop();
}
END_TEST

START_TEST(a_device_that_closes_in_the_handshake_fails) {
    start(true, "20s");
    struct call *call = begin();
    const int fd = accept_one();
    char byte;
    ck_assert_int_eq(recv(fd, &byte, 1, 0), 1);
    ck_assert_int_eq(shutdown(fd, SHUT_WR), 0);
    assert_failed(call, "tls: connection closed by the device in the handshake");
    close(fd);
    stop();
}
END_TEST

START_TEST(a_device_that_speaks_tls_where_the_inventory_does_not_say_so_is_told) {
    start(false, "20s");
    struct call *call = begin();
    struct device d = shake_hands(ca, &usual, false);
    ck_assert_str_eq(tls_failure(d.tls), "tls: the client does not speak TLS");
    assert_answer(call_wait(call), 200,
                  "{\"failed\": [\"edge00.earth\"], \"skipped\": [], \"completed\": []}");
    assert_logged(&lab, "completed host:edge00.earth:login: the device speaks TLS, and the "
                        "inventory does not say tls: true");
    device_deinit(&d);
    stop();
}
END_TEST

// --- answers that are cut

static void truncate_at(size_t kept, bool says_so) {
    struct buf text = {0};
    struct call *call = begin();
    struct device d = shake_hands(ca, &usual, false);
    ck_assert(answer(&d, "login", login, &text));
    ck_assert(answer(&d, "get_version", new, &text));
    if (says_so) { // a whole record, which does not end the line
        text.len -= kept;
        tls_write(d.tls, text.data, text.len);
        tls_close(d.tls);
    } else { // a record that ends too early
        tls_write(d.tls, text.data, text.len);
        tls_out(d.tls)->len -= kept;
    }
    flush(&d);
    shutdown(d.fd, SHUT_WR);
    assert_answer(call_wait(call), 200,
                  "{\"failed\": [\"edge00.earth\"], \"skipped\": [], \"completed\": []}");
    assert_logged(&lab, says_so ? "completed host:edge00.earth:get_version: connection closed by "
                                  "the device in mid-answer"
                                : "completed host:edge00.earth:login: connection closed by the "
                                  "device");
    device_deinit(&d);
    buf_deinit(&text);
}

START_TEST(an_answer_that_is_cut_is_none) {
    start(true, "20s");
    truncate_at(1, true); // all but its LF
    truncate_at(20, true);
    truncate_at(1, false);
    truncate_at(60, false);
    stop();
}
END_TEST

// --- after the install

// The device comes up in steps: silent, with a certificate of its factory, with its own.
START_TEST(a_handshake_that_fails_after_the_install_is_tried_again) {
    struct buf text = {0};
    start(true, "20s");
    struct call *call = begin();
    struct device d = shake_hands(ca, &usual, false);
    say_version(&d, old);
    ck_assert(answer(&d, "install_os_version", new, &text)); // which it does not send
    device_deinit(&d);
    d = shake_hands(other_ca, &usual, false);
    while (!d.is_over)
        hear(&d);
    ck_assert_uint_eq(d.heard.len, 0);
    device_deinit(&d);
    close(accept_one());
    d = shake_hands(ca, &usual, false);
    say_version(&d, new);
    say_goodbye(&d);
    assert_answer(call_wait(call), 200,
                  "{\"failed\": [], \"skipped\": [], \"completed\": [\"edge00.earth\"]}");
    device_deinit(&d);
    buf_deinit(&text);
    stop();
}
END_TEST

// --- the option

START_TEST(a_ca_file_that_is_missing_or_broken_is_refused_at_start) {
    char output[2000], broken[64];
    write_text(broken, "broken", "hello\n", 6);
    ck_assert_int_eq(
        program_run("orchestrator", ARGS("--device-ca", "/nowhere/ca.pem"), output, sizeof output),
        2);
    ck_assert_msg(strstr(output, "orchestrator: --device-ca: /nowhere/ca.pem: No such file or "
                                 "directory") != NULL,
                  "%s", output);
    ck_assert_int_eq(
        program_run("orchestrator", ARGS("--device-ca", broken), output, sizeof output), 2);
    ck_assert_msg(strstr(output, "it holds no certificate: expected PEM") != NULL, "%s", output);
    unlink(broken);
    ck_assert_int_eq(program_run("simulator",
                                 ARGS("--devices", "127.0.0.1:0", "--admin", "127.0.0.1:0",
                                      "--devices-tls", "/nowhere/ca.pem"),
                                 output, sizeof output),
                     1);
    ck_assert_msg(strstr(output, "simulator: --devices-tls: /nowhere/ca.pem: ") != NULL, "%s",
                  output);
}
END_TEST

// --- the simulator

static void start_simulator(void) {
    write_text(ca_path, "ca", "", 0);
    lab = bare_start(ARGS("--latency", "0", "--devices-tls", ca_path));
}

static void stop_simulator(void) {
    bare_stop(&lab);
    unlink(ca_path);
}

START_TEST(the_simulator_writes_its_ca_and_no_key) {
    start_simulator();
    char *text = read_file(ca_path);
    ck_assert_ptr_nonnull(strstr(text, "-----BEGIN CERTIFICATE-----"));
    ck_assert_ptr_null(strstr(text, "KEY"));
    free(text);
    stop_simulator();
}
END_TEST

START_TEST(a_client_of_the_simulator_that_speaks_plain_text_gets_an_alert) {
    start_simulator();
    const int fd = dial(lab.devices);
    char *text = NULL;
    send_text(fd, "{\"jsonrpc\": \"2.0\", \"id\": 1, \"method\": \"login\"}\n");
    ck_assert_int_eq(read_rest(fd, &text), 0);
    ck_assert(tls_is_alert(text, strlen(text)));
    free(text);
    close(fd);
    stop_simulator();
}
END_TEST

START_TEST(clients_that_leave_in_the_handshake_harm_nobody) {
    static const char *const words[] = {"", "\x16", "\x16\x03\x01\x02", "\x15\x03\x03",
                                        "\x16\x03\x01\xff\xff\x01"};
    start_simulator();
    for (size_t i = 0; i < COUNT(words); i++) {
        const int fd = dial(lab.devices);
        send_text(fd, words[i]);
        close(fd);
    }
    cJSON_Delete(get_json(lab.admin, "/audit/"));
    stop_simulator();
}
END_TEST

// --- two networks

// "{"mercury": {...}}" of one and of the other, in a file.
static void merge_inventories(const char *secure_admin, const char *plain_admin) {
    cJSON *secure = get_json(secure_admin, "/inventory/?filter_sites=earth");
    cJSON *plain = get_json(plain_admin, "/inventory/?filter_sites=mars");
    cJSON_AddItemToObject(secure, "mars", cJSON_DetachItemFromObject(plain, "mars"));
    char *text = cJSON_PrintUnformatted(secure);
    write_text(inventory, "inventory", text, strlen(text));
    cJSON_free(text);
    cJSON_Delete(secure);
    cJSON_Delete(plain);
}

START_TEST(hosts_that_speak_tls_and_hosts_that_do_not_are_upgraded_in_one_job) {
    start_simulator();
    struct lab secure = lab;
    struct lab plain = bare_start(ARGS("--latency", "0"));
    merge_inventories(secure.admin, plain.admin);
    struct lab both =
        lab_start(ARGS("--latency", "0"), ARGS("--inventory", inventory, "--device-ca", ca_path));
    struct answer a = http_post(both.api, "/upgrade-os/", "{\"version\": \"5.3.1\"}");
    ck_assert_int_eq(a.status, 200);
    cJSON *report = answer_json(&a);
    ck_assert_uint_eq(json_strings(cJSON_GetObjectItem(report, "completed")), 212);
    ck_assert_uint_eq(json_strings(cJSON_GetObjectItem(report, "failed")), 0);
    cJSON_Delete(report);
    answer_free(&a);
    lab_stop(&both);
    bare_stop(&plain);
    lab = secure;
    stop_simulator();
    unlink(inventory);
}
END_TEST

Suite *check_device_tls(void) {
    Suite *suite = suite_create("device_tls");
    TCase *tcase = tcase_create("device_tls");
    suite_add_tcase(suite, tcase);
    tcase_set_timeout(tcase, 60);
    tcase_add_test(tcase, a_handshake_that_comes_byte_by_byte_is_as_good_as_any);
    tcase_add_test(tcase, a_device_with_a_wrong_certificate_fails_and_hears_no_password);
    tcase_add_test(tcase, a_device_that_speaks_plain_text_fails_at_once);
    tcase_add_test(tcase, a_device_that_is_silent_fails_at_the_connect_timeout);
    tcase_add_test(tcase, a_handshake_that_never_ends_fails_at_the_connect_timeout);
    tcase_add_test(tcase, a_device_that_closes_in_the_handshake_fails);
    tcase_add_test(tcase, a_device_that_speaks_tls_where_the_inventory_does_not_say_so_is_told);
    tcase_add_test(tcase, an_answer_that_is_cut_is_none);
    tcase_add_test(tcase, a_handshake_that_fails_after_the_install_is_tried_again);
    tcase_add_test(tcase, a_ca_file_that_is_missing_or_broken_is_refused_at_start);
    tcase_add_test(tcase, the_simulator_writes_its_ca_and_no_key);
    tcase_add_test(tcase, a_client_of_the_simulator_that_speaks_plain_text_gets_an_alert);
    tcase_add_test(tcase, clients_that_leave_in_the_handshake_harm_nobody);
    tcase_add_test(tcase, hosts_that_speak_tls_and_hosts_that_do_not_are_upgraded_in_one_job);
    return suite;
}
