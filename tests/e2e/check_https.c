// The service over TLS: what it serves, to whom, and clients that do it wrong.
#include "common/buf.h"
#include "common/client.h"
#include "common/count.h"
#include "common/tls.h"
#include "simulator/device_ca.h"
#include "tests/e2e/harness.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <gnutls/gnutls.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

Suite *check_https(void);

static char dir[64], output[20000];
static struct device_ca *ca, *other_ca;
static const char *const loopback[] = {"127.0.0.1", NULL};

// A certificate by that CA, and its key, in the files cert and key.
static void show(const struct device_ca *by, long long from_s, long long to_s) {
    struct buf certificate = {0}, key = {0};
    struct error err;
    const struct device_certificate what = {.names = loopback, .from_s = from_s, .to_s = to_s};
    ck_assert_int_eq(device_ca_issue_pem(by, &what, &certificate, &key, &err), 0);
    write_private(folder_path(dir, "cert"), certificate.data);
    write_private(folder_path(dir, "key"), key.data);
    buf_deinit(&certificate);
    buf_deinit(&key);
}

static void write_certificate(const char *name, const struct device_ca *of) {
    write_private(folder_path(dir, name), device_ca_certificate(of)->data);
}

static void set_up(void) {
    struct error err;
    snprintf(dir, sizeof dir, "/tmp/e2e-https-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(dir));
    ck_assert_int_eq(device_ca_new(&ca, &err), 0);
    ck_assert_int_eq(device_ca_new(&other_ca, &err), 0);
    write_certificate("ca", ca);
    write_certificate("other-ca", other_ca);
    show(ca, 0, 0);
}

static void tear_down(void) {
    folder_remove(dir);
    device_ca_free(ca);
    device_ca_free(other_ca);
}

static struct lab start(const char *limit) {
    struct lab lab =
        lab_start(ARGS("--latency", "0"), ARGS("--tls-cert", folder_path(dir, "cert"), "--tls-key",
                                               folder_path(dir, "key"), "--limit", limit));
    ck_assert_msg(strncmp(lab.orchestrator.url, "https://127.0.0.1:", 18) == 0, "%s",
                  lab.orchestrator.url);
    return lab;
}

static const char usual[] = "head-time=10s";

// The status; 0: there was no answer, and why is in *err.
static long ask(const char *api, const char *ca_name, const char *method, const char *path,
                const char *body, struct buf *answer, struct error *err) {
    struct buf url = {0};
    struct reply reply;
    const struct client_trust trust = {.ca = folder_path(dir, ca_name)};
    buf_addf(&url, "%s%s", api, path);
    const struct client_request request = {.method = method,
                                           .url = url.data,
                                           .body = body,
                                           .body_len = body == NULL ? 0 : strlen(body),
                                           .is_json = body != NULL,
                                           .trust = &trust};
    const int rc = client_send(&request, &reply, err);
    buf_deinit(&url);
    if (rc != 0) return 0;
    const long status = reply.status;
    if (answer != NULL) buf_add(answer, reply.body, reply.body_len);
    reply_deinit(&reply);
    return status;
}

static void assert_lives(const char *api) {
    struct error err = {0};
    const long status = ask(api, "ca", "GET", "/livez", NULL, NULL, &err);
    ck_assert_msg(status == 200, "%ld: %s", status, err.text);
}

// --- what it serves

START_TEST(all_is_served_as_without_tls) {
    struct lab lab = start(usual);
    struct buf answer = {0};
    struct error err;
    ck_assert_int_eq(
        ask(lab.api, "ca", "POST", "/upgrade-os/", "{\"version\": \"9.9.9\"}", &answer, &err), 200);
    ck_assert_ptr_nonnull(strstr(answer.data, "leaf99.neptune"));
    buf_clear(&answer);
    ck_assert_int_eq(ask(lab.api, "ca", "GET", "/metrics/", NULL, &answer, &err), 200);
    ck_assert_ptr_nonnull(strstr(answer.data, "orchestrator_hosts_total{result=\"changed\"} 848"));
    buf_clear(&answer);
    ck_assert_int_eq(ask(lab.api, "ca", "HEAD", "/jobs/", NULL, &answer, &err), 200);
    ck_assert_int_eq(ask(lab.api, "ca", "GET", "/hosts/", NULL, &answer, &err), 200);
    cJSON *hosts = cJSON_Parse(answer.data);
    ck_assert_int_eq(cJSON_GetArraySize(cJSON_GetObjectItem(hosts, "hosts")), 848);
    cJSON_Delete(hosts);
    buf_deinit(&answer);
    // The terminal client follows the events.
    const int code = program_run("orchestrator",
                                 ARGS("upgrade-os", "--version", "5.3.2", "--site", "earth",
                                      "--url", lab.api, "--ca", folder_path(dir, "ca")),
                                 output, sizeof output);
    ck_assert_msg(code == 0 && strstr(output, "106 changed") != NULL, "%d: %s", code, output);
    lab_stop(&lab);
}
END_TEST

START_TEST(a_client_that_trusts_another_is_told_so) {
    struct lab lab = start(usual);
    struct error err;
    ck_assert_int_eq(ask(lab.api, "other-ca", "GET", "/livez", NULL, NULL, &err), 0);
    ck_assert_ptr_nonnull(strstr(err.text, "its certificate is not of who is trusted"));
    const int code = program_run(
        "orchestrator", ARGS("jobs", "--url", lab.api, "--ca", folder_path(dir, "other-ca")),
        output, sizeof output);
    ck_assert_msg(code == 3 && strstr(output, "--ca") != NULL, "%d: %s", code, output);
    lab_stop(&lab);
}
END_TEST

START_TEST(hangup_shows_another_certificate_to_whoever_comes_next) {
    struct lab lab = start(usual);
    struct error err;
    write_private(folder_path(dir, "cert"), "none");
    program_signal(&lab.orchestrator, SIGHUP);
    assert_lives(lab.api); // with that of before
    show(other_ca, 0, 0);
    program_signal(&lab.orchestrator, SIGHUP);
    while (ask(lab.api, "other-ca", "GET", "/livez", NULL, NULL, &err) == 0)
        continue; // until the signal has been seen
    ck_assert_int_eq(ask(lab.api, "ca", "GET", "/livez", NULL, NULL, &err), 0);
    lab_stop(&lab);
}
END_TEST

// --- what it refuses

static int connect_to(const char *api) {
    return dial(strstr(api, "//") + 2);
}

START_TEST(plain_http_is_told_to_ask_for_https) {
    struct lab lab = start(usual);
    char *text = NULL;
    int fd = connect_to(lab.api);
    send_text(fd, "GET /jobs/ HTTP/1.1\r\nHost: localhost\r\n\r\n");
    read_rest(fd, &text);
    ck_assert_int_eq(strncmp(text, "HTTP/1.1 400 ", 13), 0);
    ck_assert_ptr_nonnull(strstr(text, "ask for https://"));
    free(text);
    close(fd);
    assert_lives(lab.api);
    lab_stop(&lab);
}
END_TEST

// What comes on one connection to whoever sends these, one by one, each when the one before is
// answered.
static void talk(const char *api, const char *const *sent, const size_t *lens, struct buf *out) {
    gnutls_session_t session;
    gnutls_certificate_credentials_t nothing;
    char bytes[4096];
    ssize_t n;
    int fd = connect_to(api), rc;
    ck_assert_int_eq(gnutls_certificate_allocate_credentials(&nothing), 0);
    ck_assert_int_eq(gnutls_init(&session, GNUTLS_CLIENT), 0);
    ck_assert_int_eq(gnutls_set_default_priority(session), 0);
    gnutls_credentials_set(session, GNUTLS_CRD_CERTIFICATE, nothing);
    gnutls_transport_set_int(session, fd);
    do
        rc = gnutls_handshake(session);
    while (rc < 0 && gnutls_error_is_fatal(rc) == 0);
    ck_assert_int_eq(rc, 0);
    for (size_t i = 0; sent[i] != NULL; i++) {
        if (i > 0) {
            n = gnutls_record_recv(session, bytes, sizeof bytes);
            if (n > 0) buf_add(out, bytes, (size_t)n);
        }
        for (size_t at = 0; at < lens[i]; at += (size_t)n) {
            n = gnutls_record_send(session, sent[i] + at, lens[i] - at);
            ck_assert_int_gt((int)n, 0);
        }
    }
    while ((n = gnutls_record_recv(session, bytes, sizeof bytes)) > 0)
        buf_add(out, bytes, (size_t)n);
    ck_assert_int_eq((int)n, 0); // ended as TLS ends, so that nothing was cut off
    gnutls_deinit(session);
    gnutls_certificate_free_credentials(nothing);
    close(fd);
}

#define R(s) s, sizeof(s) - 1 // NOLINT(bugprone-macro-parentheses): two values
#define GET  "GET /livez HTTP/1.1\r\nHost: localhost\r\n"

static const struct {
    const char *bytes;
    size_t len;
    int status;
} refused[] = {
    {R(GET "X: a\0b\r\n\r\n"), 400},
    {R(GET "Content-Length: 0\0002\r\n\r\n{}"), 400},
    {R(GET "Content-Length: 2, 2\r\n\r\n{}"), 400},
    {R("GET /livez HTTP/2.0\r\n\r\n"), 505},
    {R(GET "Transfer-Encoding: chunked\r\n\r\nzz\r\n"), 400},
};

static const size_t get_len = sizeof GET "\r\n" - 1;

// The first of its connection, and the next.
START_TEST(what_is_no_request_is_refused_as_a_problem_over_tls) {
    struct lab lab = start(usual);
    char line[32];
    snprintf(line, sizeof line, "HTTP/1.1 %d ", refused[_i].status);
    for (int before = 0; before < 2; before++) {
        struct buf answers = {0};
        const char *const sent[] = {before == 0 ? refused[_i].bytes : GET "\r\n",
                                    before == 0 ? NULL : refused[_i].bytes, NULL};
        const size_t lens[] = {before == 0 ? refused[_i].len : get_len, refused[_i].len};
        talk(lab.api, sent, lens, &answers);
        const char *last = before == 0 ? answers.data : strstr(answers.data + 1, "HTTP/1.1 ");
        ck_assert_ptr_nonnull(last);
        ck_assert_msg(strncmp(last, line, strlen(line)) == 0, "%s", answers.data);
        ck_assert_ptr_nonnull(strstr(last, "application/problem+json"));
        ck_assert_ptr_null(strstr(last, "\nHTTP/1.1 "));
        buf_deinit(&answers);
    }
    assert_lives(lab.api);
    lab_stop(&lab);
}
END_TEST

// More than one record holds: none of them waits for bytes that do not come.
START_TEST(requests_in_a_row_are_all_answered_over_tls) {
    enum { GETS = 600 };
    struct lab lab = start(usual);
    struct buf gets = {0}, answers = {0};
    for (int i = 0; i < GETS - 1; i++)
        buf_adds(&gets, GET "\r\n");
    buf_adds(&gets, GET "Connection: close\r\n\r\n");
    const char *const sent[] = {gets.data, NULL};
    const size_t lens[] = {gets.len};
    talk(lab.api, sent, lens, &answers);
    int count = 0;
    for (const char *at = answers.data; (at = strstr(at, "HTTP/1.1 200 ")) != NULL; at++)
        count++;
    ck_assert_int_eq(count, GETS);
    buf_deinit(&gets);
    buf_deinit(&answers);
    lab_stop(&lab);
}
END_TEST

static int shake_hands(const char *api, const char *priorities) {
    gnutls_session_t session;
    gnutls_certificate_credentials_t nothing;
    int fd = connect_to(api), rc;
    ck_assert_int_eq(gnutls_certificate_allocate_credentials(&nothing), 0);
    ck_assert_int_eq(gnutls_init(&session, GNUTLS_CLIENT), 0);
    ck_assert_int_eq(gnutls_priority_set_direct(session, priorities, NULL), 0);
    gnutls_credentials_set(session, GNUTLS_CRD_CERTIFICATE, nothing);
    gnutls_transport_set_int(session, fd);
    do
        rc = gnutls_handshake(session);
    while (rc < 0 && gnutls_error_is_fatal(rc) == 0);
    gnutls_deinit(session);
    gnutls_certificate_free_credentials(nothing);
    close(fd);
    return rc;
}

START_TEST(what_is_weak_is_refused) {
    static const struct {
        const char *priorities;
        bool is_taken;
    } cases[] = {
        {"NORMAL", true},
        {"NORMAL:-VERS-ALL:+VERS-TLS1.2", true},
        {"NORMAL:-VERS-ALL:+VERS-TLS1.3", true},
        {"NORMAL:-VERS-ALL:+VERS-TLS1.1:%COMPAT", false},
        {"NORMAL:-VERS-ALL:+VERS-TLS1.0:%COMPAT", false},
        {"NORMAL:-VERS-ALL:+VERS-TLS1.2:-KX-ALL:+RSA", false}, // no forward secrecy
        {"NORMAL:-VERS-ALL:+VERS-TLS1.2:-CIPHER-ALL:+AES-128-CBC", false},
        {"NORMAL:-VERS-ALL:+VERS-TLS1.2:-CIPHER-ALL:+3DES-CBC", false},
    };
    struct lab lab = start(usual);
    for (size_t i = 0; i < COUNT(cases); i++) {
        const int rc = shake_hands(lab.api, cases[i].priorities);
        ck_assert_msg((rc == 0) == cases[i].is_taken, "%s: %s", cases[i].priorities,
                      gnutls_strerror(rc));
    }
    assert_lives(lab.api);
    lab_stop(&lab);
}
END_TEST

// The first bytes of a client that knows what it does.
static void take_hello(struct buf *hello) {
    struct tls_trust *trust = NULL;
    struct error err;
    ck_assert_int_eq(tls_trust_load(&trust, folder_path(dir, "ca"), "ca", &err), 0);
    struct tls *t = tls_connect(trust, "127.0.0.1", "127.0.0.1");
    buf_add(hello, tls_out(t)->data, tls_out(t)->len);
    tls_free(t);
    tls_trust_free(trust);
}

static void assert_ends(int fd) {
    char *text = NULL;
    read_rest(fd, &text);
    free(text);
    close(fd);
}

// Of its whole life.
static double cpu_s(const struct program *p) {
    char path[64];
    unsigned long user = 0, system = 0;
    snprintf(path, sizeof path, "/proc/%d/stat", (int)p->pid);
    char *text = read_file(path);
    const char *at = strrchr(text, ')');
    ck_assert_int_eq(
        sscanf(at, ") %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu", &user, &system), 2);
    free(text);
    return (double)(user + system) / (double)sysconf(_SC_CLK_TCK);
}

START_TEST(who_does_not_come_to_an_end_of_the_handshake_is_let_go) {
    struct lab lab = start("head-time=1s");
    struct buf hello = {0};
    take_hello(&hello);
    int silent = connect_to(lab.api), half = connect_to(lab.api), mute = connect_to(lab.api);
    ck_assert_int_eq(send(half, hello.data, hello.len / 2, 0), (ssize_t)(hello.len / 2));
    ck_assert_int_eq(send(mute, hello.data, hello.len, 0), (ssize_t)hello.len);
    assert_lives(lab.api);
    const double before_s = cpu_s(&lab.orchestrator);
    assert_ends(silent);
    assert_ends(half);
    assert_ends(mute);
    // It took a second to let them go, and did not turn in circles meanwhile.
    ck_assert_double_lt(cpu_s(&lab.orchestrator) - before_s, 0.5);
    buf_deinit(&hello);
    lab_stop(&lab);
}
END_TEST

START_TEST(garbage_ends_its_own_connection_alone) {
    static const char *const garbage[] = {"\x16\x02\x01\x00\x05hello", "\x16\x03\x01\x00\x05hello",
                                          "\x80\x2e\x01", "\r\n", "\xff\xff\xff\xff\xff\xff"};
    struct lab lab = start(usual);
    for (size_t i = 0; i < COUNT(garbage); i++) {
        int fd = connect_to(lab.api);
        const size_t len = garbage[i][0] == '\x16' ? 10 : strlen(garbage[i]);
        ck_assert_int_eq(send(fd, garbage[i], len, 0), (ssize_t)len);
        assert_ends(fd);
    }
    assert_lives(lab.api);
    lab_stop(&lab);
}
END_TEST

// All ask for their handshake's work at the same time; none is lost for having to wait.
START_TEST(many_handshakes_at_once_have_their_turns) {
    enum { MANY = 100, TYPE = 1, ALERT = 21 };
    struct lab lab = start(usual);
    struct buf hello = {0};
    int fds[MANY];
    take_hello(&hello);
    program_signal(&lab.orchestrator, SIGSTOP);
    for (size_t i = 0; i < MANY; i++) {
        fds[i] = connect_to(lab.api);
        ck_assert_int_eq(send(fds[i], hello.data, hello.len, 0), (ssize_t)hello.len);
    }
    program_signal(&lab.orchestrator, SIGCONT);
    for (size_t i = 0; i < MANY; i++) {
        unsigned char type = 0;
        ck_assert_int_eq(recv(fds[i], &type, TYPE, MSG_WAITALL), TYPE);
        ck_assert_int_ne(type, ALERT);
    }
    assert_lives(lab.api);
    for (size_t i = 0; i < MANY; i++)
        close(fds[i]);
    buf_deinit(&hello);
    lab_stop(&lab);
}
END_TEST

static void assert_will_not_start(const char *why, const char *const *args) {
    const int code = program_run("orchestrator", args, output, sizeof output);
    ck_assert_msg(code != 0 && strstr(output, why) != NULL, "%d: %s", code, output);
}

#define WILL_NOT_START(why, ...)                                                                   \
    assert_will_not_start(                                                                         \
        why, ARGS("--listen", "127.0.0.1:0", "--state", "none", "--log", "-", __VA_ARGS__))

START_TEST(files_that_are_not_right_are_refused) {
    const char *cert = folder_path(dir, "cert"), *key = folder_path(dir, "key"),
               *own_ca = folder_path(dir, "ca");
    WILL_NOT_START("--tls-cert and --tls-key go together", "--tls-cert", cert);
    WILL_NOT_START("--tls-cert and --tls-key go together", "--tls-key", key);
    WILL_NOT_START("No such file", "--tls-cert", folder_path(dir, "none"), "--tls-key", key);
    WILL_NOT_START("in PEM", "--tls-cert", key, "--tls-key", key);
    WILL_NOT_START("a private key in PEM", "--tls-cert", cert, "--tls-key", cert);
    WILL_NOT_START("is not the key of", "--tls-cert", own_ca, "--tls-key", key);
    ck_assert_int_eq(chmod(key, 0604), 0);
    WILL_NOT_START("everybody may read this key", "--tls-cert", cert, "--tls-key", key);
}
END_TEST

Suite *check_https(void) {
    Suite *suite = suite_create("https");
    TCase *tcase = tcase_create("https");
    suite_add_tcase(suite, tcase);
    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_set_timeout(tcase, 60);
    tcase_add_test(tcase, all_is_served_as_without_tls);
    tcase_add_test(tcase, a_client_that_trusts_another_is_told_so);
    tcase_add_test(tcase, hangup_shows_another_certificate_to_whoever_comes_next);
    tcase_add_test(tcase, plain_http_is_told_to_ask_for_https);
    tcase_add_loop_test(tcase, what_is_no_request_is_refused_as_a_problem_over_tls, 0,
                        COUNT(refused));
    tcase_add_test(tcase, requests_in_a_row_are_all_answered_over_tls);
    tcase_add_test(tcase, what_is_weak_is_refused);
    tcase_add_test(tcase, who_does_not_come_to_an_end_of_the_handshake_is_let_go);
    tcase_add_test(tcase, garbage_ends_its_own_connection_alone);
    tcase_add_test(tcase, many_handshakes_at_once_have_their_turns);
    tcase_add_test(tcase, files_that_are_not_right_are_refused);
    return suite;
}
