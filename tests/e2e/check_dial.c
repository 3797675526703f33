// dial.c against addresses of this machine: one that answers, one that refuses, one that is silent.
// A name's addresses are what the test says: getaddrinfo() is ours for names that end in ".test".
#include "orchestrator/dial.h"

#include "common/count.h"

#include <arpa/inet.h>
#include <check.h>
#include <dlfcn.h>
#include <errno.h>
#include <netdb.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

Suite *check_dial(void);

enum { TIMEOUT_MS = 600 };

static const char *const *names_addresses; // NULL-terminated

static struct addrinfo *address_info(const char *address, const char *port, struct addrinfo *next) {
    struct addrinfo *info = calloc(1, sizeof *info + sizeof(struct sockaddr_in));
    struct sockaddr_in *in = (struct sockaddr_in *)(void *)(info + 1);
    in->sin_family = AF_INET;
    in->sin_port = htons((uint16_t)atoi(port));
    inet_pton(AF_INET, address, &in->sin_addr);
    *info = (struct addrinfo){.ai_family = AF_INET,
                              .ai_socktype = SOCK_STREAM,
                              .ai_addrlen = sizeof *in,
                              .ai_addr = (struct sockaddr *)in,
                              .ai_next = next};
    return info;
}

static bool is_ours(const char *name) {
    size_t len = name == NULL ? 0 : strlen(name);
    return len > 5 && strcmp(name + len - 5, ".test") == 0;
}

// NOLINTNEXTLINE(readability-inconsistent-declaration-parameter-name): glibc's names are reserved
int getaddrinfo(const char *name, const char *port, const struct addrinfo *hints,
                struct addrinfo **found) {
    if (!is_ours(name)) {
        int (*other)(const char *, const char *, const struct addrinfo *, struct addrinfo **);
        *(void **)&other = dlsym(RTLD_NEXT, "getaddrinfo");
        return other(name, port, hints, found);
    }
    if (names_addresses == NULL) return EAI_NONAME;
    size_t count = 0;
    while (names_addresses[count] != NULL)
        count++;
    *found = NULL;
    while (count > 0)
        *found = address_info(names_addresses[--count], port, *found);
    return 0;
}

// NOLINTNEXTLINE(readability-inconsistent-declaration-parameter-name)
void freeaddrinfo(struct addrinfo *info) {
    for (struct addrinfo *next; info != NULL; info = next) {
        next = info->ai_next;
        free(info); // the same block by malloc in glibc, too
    }
}

// --- this machine's addresses

static int listen_at(const char *address, uint16_t *port, int backlog) {
    struct sockaddr_in in = {.sin_family = AF_INET, .sin_port = htons(*port)};
    socklen_t len = sizeof in;
    inet_pton(AF_INET, address, &in.sin_addr);
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    ck_assert_int_ge(fd, 0);
    if (bind(fd, (struct sockaddr *)&in, len) != 0 || listen(fd, backlog) != 0) {
        close(fd);
        return -1;
    }
    ck_assert_int_eq(getsockname(fd, (struct sockaddr *)&in, &len), 0);
    *port = ntohs(in.sin_port);
    return fd;
}

// A listener whose queue is full drops what comes: nobody answers.
static int silence(const char *address, uint16_t port) {
    struct sockaddr_in in = {.sin_family = AF_INET, .sin_port = htons(port)};
    inet_pton(AF_INET, address, &in.sin_addr);
    int listener = listen_at(address, &port, 0);
    for (int i = 0; listener >= 0 && i < 4; i++) {
        int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
        (void)connect(fd, (struct sockaddr *)&in, sizeof in);
    }
    return listener;
}

// --- a dial and what comes of it

static uv_loop_t loop;
static struct {
    bool within, told, connected;
    char why[100], peer[INET_ADDRSTRLEN];
} outcome;

static void on_done(void *arg, uv_tcp_t *tcp, const char *why) {
    ck_assert_ptr_eq(arg, &outcome);
    ck_assert(!outcome.within && !outcome.told);
    outcome.told = true;
    outcome.connected = tcp != NULL;
    if (tcp == NULL) {
        snprintf(outcome.why, sizeof outcome.why, "%s", why);
        return;
    }
    struct sockaddr_in peer;
    int len = sizeof peer;
    ck_assert_int_eq(uv_tcp_getpeername(tcp, (struct sockaddr *)&peer, &len), 0);
    inet_ntop(AF_INET, &peer.sin_addr, outcome.peer, sizeof outcome.peer);
    dial_hang_up(tcp);
}

static struct dial *start(const char *address, uint16_t port) {
    memset(&outcome, 0, sizeof outcome);
    ck_assert_int_eq(uv_loop_init(&loop), 0);
    outcome.within = true;
    struct dial *d = dial_start(&loop, address, port, TIMEOUT_MS, on_done, &outcome);
    outcome.within = false;
    return d;
}

static void finish(void) {
    uv_run(&loop, UV_RUN_DEFAULT);
    ck_assert_int_eq(uv_loop_close(&loop), 0); // nothing is left open
}

static void dial_all(const char *address, uint16_t port) {
    start(address, port);
    finish();
    ck_assert(outcome.told);
}

START_TEST(a_numeric_address_is_reached) {
    uint16_t port = 0;
    ck_assert_int_ge(listen_at("127.0.0.1", &port, 8), 0);
    dial_all("127.0.0.1", port);
    ck_assert_str_eq(outcome.peer, "127.0.0.1");
}
END_TEST

START_TEST(an_address_that_refuses_is_told_a_turn_later) {
    uint16_t port = 0;
    close(listen_at("127.0.0.1", &port, 8));
    dial_all("127.0.0.1", port);
    ck_assert(!outcome.connected);
    ck_assert_str_eq(outcome.why, "connection refused");
}
END_TEST

START_TEST(a_name_that_nobody_knows_is_told) {
    names_addresses = NULL;
    dial_all("nobody.test", 1);
    ck_assert_str_eq(outcome.why, "unknown node or service");
}
END_TEST

START_TEST(addresses_that_refuse_are_passed_over_and_the_last_is_told) {
    uint16_t port = 0;
    ck_assert_int_ge(listen_at("127.0.0.3", &port, 8), 0);
    names_addresses = (const char *const[]){"127.0.0.1", "127.0.0.2", "127.0.0.3", NULL};
    dial_all("three.test", port);
    ck_assert_str_eq(outcome.peer, "127.0.0.3");
    names_addresses = (const char *const[]){"127.0.0.1", "127.0.0.2", NULL};
    dial_all("two.test", port);
    ck_assert_str_eq(outcome.why, "connection refused");
}
END_TEST

START_TEST(an_address_that_is_silent_makes_room_for_the_next) {
    uint16_t port = 0;
    ck_assert_int_ge(listen_at("127.0.0.3", &port, 8), 0);
    ck_assert_int_ge(silence("127.0.0.2", port), 0);
    static const char *const lists[][4] = {{"127.0.0.2", "127.0.0.2", "127.0.0.3"},
                                           {"127.0.0.2", "127.0.0.3"}};
    for (size_t i = 0; i < COUNT(lists); i++) {
        names_addresses = lists[i];
        dial_all("slow.test", port);
        ck_assert_msg(outcome.connected, "%s", outcome.why);
        ck_assert_str_eq(outcome.peer, "127.0.0.3");
    }
}
END_TEST

static void on_time_up(uv_timer_t *timer) {
    dial_cancel(timer->data);
    uv_close((uv_handle_t *)timer, NULL);
}

// Cancelled at once, in the look-up, or while the last address is silent: nothing is told.
START_TEST(a_cancelled_dial_tells_nothing_and_leaves_nothing_open) {
    uint16_t port = 0;
    close(listen_at("127.0.0.2", &port, 8));
    ck_assert_int_ge(silence("127.0.0.2", port), 0);
    names_addresses = (const char *const[]){"127.0.0.2", NULL};
    static const char *const targets[] = {"127.0.0.2", "silent.test"};
    for (size_t i = 0; i < 2; i++) {
        dial_cancel(start(targets[i], port));
        finish();
        ck_assert(!outcome.told);
        uv_timer_t timer;
        struct dial *d = start(targets[i], port);
        uv_timer_init(&loop, &timer);
        timer.data = d;
        uv_timer_start(&timer, on_time_up, 50, 0);
        finish();
        ck_assert(!outcome.told);
    }
    dial_cancel(NULL);
}
END_TEST

// The first is given up at half of the time, and the last has all that is left.
START_TEST(an_address_that_was_given_up_says_nothing_more) {
    uint16_t port = 0;
    close(listen_at("127.0.0.2", &port, 8));
    ck_assert_int_ge(silence("127.0.0.2", port), 0);
    names_addresses = (const char *const[]){"127.0.0.2", "127.0.0.2", NULL};
    uv_timer_t timer;
    struct dial *d = start("silent.test", port);
    uv_timer_init(&loop, &timer);
    timer.data = d;
    uv_timer_start(&timer, on_time_up, TIMEOUT_MS, 0);
    finish();
    ck_assert_msg(!outcome.told, "%s", outcome.why);
}
END_TEST

Suite *check_dial(void) {
    Suite *suite = suite_create("dial");
    TCase *tcase = tcase_create("dial");
    suite_add_tcase(suite, tcase);
    tcase_set_timeout(tcase, 30);
    tcase_add_test(tcase, a_numeric_address_is_reached);
    tcase_add_test(tcase, an_address_that_refuses_is_told_a_turn_later);
    tcase_add_test(tcase, a_name_that_nobody_knows_is_told);
    tcase_add_test(tcase, addresses_that_refuse_are_passed_over_and_the_last_is_told);
    tcase_add_test(tcase, an_address_that_is_silent_makes_room_for_the_next);
    tcase_add_test(tcase, an_address_that_was_given_up_says_nothing_more);
    tcase_add_test(tcase, a_cancelled_dial_tells_nothing_and_leaves_nothing_open);
    return suite;
}
