#include "common/http_peer.h"
#include "tests/unit/support.h"

Suite *check_http_peer(void);

static struct http_peer peer_of(const char *text) {
    union address address;
    struct error err;
    ck_assert_msg(address_parse(text, &address, &err) == 0, "%s", err.text);
    return http_peer_of(&address);
}

static const struct {
    const char *one, *other;
    bool is_same;
} pairs[] = {
    {"192.0.2.1:1", "192.0.2.1:2", true},
    {"192.0.2.1:1", "192.0.2.2:1", false},
    {"192.0.2.1:1", "193.0.2.1:1", false},
    {"[2001:db8:0:1::1]:1", "[2001:db8:0:1:ffff:ffff:ffff:ffff]:1", true},
    {"[2001:db8:0:1::1]:1", "[2001:db8:0:2::1]:1", false},
    {"192.0.2.1:1", "[::ffff:192.0.2.1]:1", true},
    {"[::ffff:192.0.2.1]:1", "[::ffff:192.0.2.2]:1", false},
};

START_TEST(clients_are_told_apart_by_address_or_network) {
    const struct http_peer one = peer_of(pairs[_i].one), other = peer_of(pairs[_i].other);
    ck_assert_msg(http_peer_is(&one, &other) == pairs[_i].is_same, "%s and %s", pairs[_i].one,
                  pairs[_i].other);
}
END_TEST

static const struct {
    const char *text;
    bool is_local;
} addresses[] = {
    {"127.0.0.1:1", true},          {"127.9.9.9:1", true},  {"[::1]:1", true},
    {"[::ffff:127.0.0.1]:1", true}, {"128.0.0.1:1", false}, {"[::2]:1", false},
    {"10.0.0.1:1", false},
};

START_TEST(this_machine_is_told_from_others) {
    ck_assert_msg(peer_of(addresses[_i].text).is_local == addresses[_i].is_local, "%s",
                  addresses[_i].text);
}
END_TEST

Suite *check_http_peer(void) {
    Suite *suite = suite_create("http_peer");
    TCase *tcase = tcase_create("http_peer");
    suite_add_tcase(suite, tcase);
    tcase_add_loop_test(tcase, clients_are_told_apart_by_address_or_network, 0, COUNT(pairs));
    tcase_add_loop_test(tcase, this_machine_is_told_from_others, 0, COUNT(addresses));
    return suite;
}
