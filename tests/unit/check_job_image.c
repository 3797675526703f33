#include "orchestrator/job_image.h"
#include "tests/unit/job_images.h"
#include "tests/unit/seeds.h"
#include "tests/unit/text_case.h"

Suite *check_job_image(void);

// --- there and back

static void same_host(const struct inventory *a, const struct host *x, const struct inventory *b,
                      const struct host *y) {
    ck_assert_str_eq(x->name, y->name);
    ck_assert_str_eq(x->address, y->address);
    ck_assert_str_eq(x->rack, y->rack);
    ck_assert_uint_eq(x->port, y->port);
    ck_assert(x->tls == y->tls);
    ck_assert(x->epochs == y->epochs);
    ck_assert_str_eq(inventory_site(a, x), inventory_site(b, y));
    ck_assert_str_eq(inventory_dev_type(a, x), inventory_dev_type(b, y));
    ck_assert_str_eq(inventory_platform(a, x), inventory_platform(b, y));
    ck_assert((x->platform == 0) == (y->platform == 0));
    ck_assert((x->site == INVENTORY_NO_NAME) == (y->site == INVENTORY_NO_NAME));
    ck_assert((x->dev_type == INVENTORY_NO_NAME) == (y->dev_type == INVENTORY_NO_NAME));
}

static const char *name_of(const struct inventory *inventory, uint32_t host) {
    ck_assert_uint_lt(host, inventory->count);
    return inventory->hosts[host].name;
}

static void same_constraint(const struct made *m, const struct job_image *image, size_t i) {
    const struct constraint *a = &m->grouping.constraints[i], *b = &image->grouping.constraints[i];
    ck_assert_str_eq(a->key, b->key);
    ck_assert_str_eq(a->name, b->name);
    ck_assert_uint_eq(a->limit, b->limit);
    ck_assert_uint_eq(a->members, b->members);
    ck_assert_uint_eq(b->weight, 1);
    ck_assert(a->redundancy == b->redundancy);
    ck_assert_uint_eq(a->cohorts_count, b->cohorts_count);
    ck_assert_mem_eq(constraint_cohorts(&m->grouping, a), constraint_cohorts(&image->grouping, b),
                     a->cohorts_count * sizeof(uint32_t));
    ck_assert_uint_eq(a->others_count, b->others_count);
    for (uint32_t o = 0; o < a->others_count; o++)
        ck_assert_str_eq(name_of(m->inventory, m->grouping.others[a->others + o]),
                         name_of(image->inventory, image->grouping.others[b->others + o]));
}

static void same_cohort(const struct made *m, const struct job_image *image, size_t i) {
    const struct cohort *a = &m->grouping.cohorts[i], *b = &image->grouping.cohorts[i];
    ck_assert_uint_eq(a->first, b->first);
    ck_assert_uint_eq(a->count, b->count);
    ck_assert_uint_eq(a->needs_count, b->needs_count);
    ck_assert_mem_eq(cohort_needs(&m->grouping, a), cohort_needs(&image->grouping, b),
                     a->needs_count * sizeof(uint32_t));
}

static void same_job(const struct made *m, const struct job_image *image) {
    const struct grouping *a = &m->grouping, *b = &image->grouping;
    ck_assert_uint_eq(m->policy, image->policy);
    ck_assert_uint_eq(image->inventory->refs, 1);
    ck_assert_uint_eq(m->selection.count, image->selection.count);
    for (size_t i = 0; i < m->selection.count; i++) {
        const uint32_t x = m->selection.hosts[i], y = image->selection.hosts[i];
        ck_assert(i == 0 || y > image->selection.hosts[i - 1]);
        ck_assert_uint_lt(y, image->inventory->count);
        same_host(m->inventory, &m->inventory->hosts[x], image->inventory,
                  &image->inventory->hosts[y]);
    }
    ck_assert_uint_eq(a->count, b->count);
    for (size_t i = 0; i < a->count; i++)
        same_constraint(m, image, i);
    ck_assert_uint_eq(a->cohorts_count, b->cohorts_count);
    for (size_t i = 0; i < a->cohorts_count; i++)
        same_cohort(m, image, i);
    ck_assert_uint_eq(a->hosts, b->hosts);
    for (size_t i = 0; i < a->hosts; i++)
        ck_assert_str_eq(name_of(m->inventory, a->order[i]),
                         name_of(image->inventory, b->order[i]));
    // Where all that is left is selected, there are no others.
    ck_assert(image->selection.count < image->inventory->count || b->others == NULL);
}

static void returns(const struct made *m) {
    struct job_image image;
    struct error err;
    struct buf bytes = image_of_made(m), again = {0};
    int rc = job_image_read(bytes.data, bytes.len, &image, &err);
    ck_assert_msg(rc == 0, "%s", err.text);
    same_job(m, &image);
    job_image_write(&again, image.inventory, &image.selection, &image.grouping, image.policy);
    ck_assert_uint_eq(bytes.len, again.len);
    ck_assert_mem_eq(bytes.data, again.data, bytes.len);
    job_image_deinit(&image);
    buf_deinit(&bytes);
    buf_deinit(&again);
}

#define EARTH_A HOST("a", "spine", "1")
#define EARTH_B HOST("b", "spine", "2")
#define EARTH_C HOST("c", "leaf", "1")
#define EARTH_D HOST("d", "leaf", "1")
#define EARTH_E HOST("e", "edge", "2")
#define MARS                                                                                       \
    "'mars': {'f': {'platform': 'acmeos', 'dev_type': 'leaf', 'hostname': '10.0.0.7', 'port': "    \
    "1, 'tls': true}, "                                                                            \
    "'g': {'platform': 'panos', 'dev_type': 'fw'}, " PLAIN("h", "spine", "") "}"

static const char network[] =
    "{'earth': {" EARTH_A ", " EARTH_B ", " EARTH_C ", " EARTH_D ", " EARTH_E "}, " MARS "}";

static const char several[] =
    "{ungrouped: allow, redundancy: [{group: \"{site}\", max_unavailable: 2, first: {dev_type: "
    "spine}}, {group: \"{rack}\"}], throttle: [{group: all, at_once: 3}, {group: \"{dev_type}\", "
    "at_once: 1}]}";

START_TEST(an_image_gives_back_the_job_that_it_was_made_of) {
    static const struct {
        const char *policy, *chosen;
    } cases[] = {
        {"{redundancy: [{group: \"{site}_{dev_type}\"}]}", NULL},
        {"{redundancy: [{group: \"{site}_{dev_type}\"}]}", "a c e"},
        {"{redundancy: [{group: \"{site}_{dev_type}\"}]}", "a b c d e f g h"},
        {"{redundancy: [{group: \"{site}_{dev_type}\"}]}", "a b"}, // whose group has no others
        {"{redundancy: [{group: \"{site}_{dev_type}\"}]}", "h"},
        {"{redundancy: [{group: \"{site}_{dev_type}\"}]}", ""},
        {"{ungrouped: allow, redundancy: [{group: \"{rack}\"}]}", NULL},
        {several, NULL},
        {several, "b"},
        {several, "d f g"},
        {several, "h"},
    };
    struct made m = make(network, cases[_i].policy, cases[_i].chosen);
    returns(&m);
    unmake(&m);
}
END_TEST

START_TEST(an_image_has_what_concerns_the_job_and_no_more) {
    struct buf all = image_of(network, several, "a"), bytes;
    struct job_image image;
    struct error err;
    bytes = image_of(network, "{redundancy: [{group: \"{site}_{dev_type}\"}]}", "c");
    ck_assert_int_eq(job_image_read(bytes.data, bytes.len, &image, &err), 0);
    ck_assert_uint_eq(image.inventory->count, 2);
    ck_assert_str_eq(image.inventory->hosts[0].name, "c");
    ck_assert_str_eq(image.inventory->hosts[1].name, "d");
    ck_assert_uint_eq(image.inventory->sites.count, 1);
    ck_assert_uint_eq(image.inventory->dev_types.count, 1);
    ck_assert_uint_eq(image.inventory->platforms.count, 1);
    ck_assert_ptr_null(image.inventory->attributes_from);
    job_image_deinit(&image);
    ck_assert_int_eq(job_image_read(all.data, all.len, &image, &err), 0);
    ck_assert_uint_eq(image.inventory->count, 8);
    job_image_deinit(&image);
    buf_deinit(&all);
    buf_deinit(&bytes);
}
END_TEST

START_TEST(the_same_job_has_the_same_bytes_whatever_else_there_is) {
    static const char elsewhere[] = "{'venus': {" HOST(
        "x", "spine",
        "1") "}, 'earth': {" EARTH_A ", " EARTH_B ", " EARTH_E
             ", 'c': {'serial': 'A7', 'platform': 'acmeos', 'rack': '1', 'hostname': '127.0.0.1', "
             "'port': 8300, 'dev_type': 'leaf'}, " EARTH_D ", " HOST("y", "edge", "7") "}}";
    static const char policy[] = "{redundancy: [{group: \"{site}_{dev_type}\"}]}";
    struct buf one = image_of(network, policy, "b c"), other = image_of(elsewhere, policy, "b c");
    ck_assert_uint_eq(one.len, other.len);
    ck_assert_mem_eq(one.data, other.data, one.len);
    buf_deinit(&one);
    buf_deinit(&other);
}
END_TEST

START_TEST(what_was_in_the_buffer_stays) {
    struct made m = make(network, several, NULL);
    struct buf alone = image_of_made(&m), behind = {0};
    buf_adds(&behind, "before");
    job_image_write(&behind, m.inventory, &m.selection, &m.grouping, m.policy);
    ck_assert_mem_eq(behind.data, "before", 6);
    ck_assert_uint_eq(behind.len, 6 + alone.len);
    ck_assert_mem_eq(behind.data + 6, alone.data, alone.len);
    buf_deinit(&alone);
    buf_deinit(&behind);
    unmake(&m);
}
END_TEST

#define KEYED(name, type, more)                                                                    \
    PLAIN(name, type, ", 'rack': '1', 'username': 'secret-user', 'password': 'secret-word'" more)
#define TWO_OF_FOUR                                                                                \
    "{'earth': {" KEYED("z", "edge", "") ", " HOST("a", "spine", "1") ", " KEYED(                  \
        "b", "spine", "") ", " HOST("c", "leaf", "1") ", " KEYED("d", "leaf", "") "}}"

// Those of z are no concern of the job.
START_TEST(an_image_says_who_had_credentials_and_not_which) {
    static const char policy[] = "{redundancy: [{group: \"{site}_{dev_type}\"}]}";
    static const bool expected[] = {false, true, false, true};
    struct made m = make(TWO_OF_FOUR, policy, "a b c");
    struct buf bytes = image_of_made(&m);
    struct job_image image;
    struct error err;
    ck_assert_ptr_null(memmem(bytes.data, bytes.len, "secret", 6));
    ck_assert_int_eq(bytes.data[3], 2);
    ck_assert_int_eq(job_image_read(bytes.data, bytes.len, &image, &err), 0);
    ck_assert_uint_eq(image.inventory->count, COUNT(expected));
    for (size_t i = 0; i < COUNT(expected); i++) {
        ck_assert(inventory_withholds_credentials(image.inventory, i) == expected[i]);
        ck_assert_ptr_null(inventory_credentials(image.inventory, i).password);
    }
    job_image_deinit(&image);
    buf_deinit(&bytes);
    returns(&m);
    unmake(&m);
}
END_TEST

START_TEST(without_credentials_an_image_is_what_older_orchestrators_write) {
    struct buf bytes = image_of(network, several, "a d g");
    ck_assert_int_eq(bytes.data[3], 1);
    buf_deinit(&bytes);
}
END_TEST

// Whether hosts have credentials, too, or not.
START_TEST(an_image_says_who_takes_epochs_and_older_orchestrators_do_not_read_it) {
    static const char policy[] = "{redundancy: [{group: \"{site}_{dev_type}\"}]}";
    static const char *const networks[] = {
        "{'earth': {" HOST("a", "spine", "1") ", " PLAIN("b", "spine", ", 'epochs': true") "}}",
        "{'earth': {" KEYED("a", "spine", ", 'tls': true") ", " KEYED("b", "spine",
                                                                      ", 'epochs': true") "}}",
    };
    struct made m = make(networks[_i], policy, NULL);
    struct buf bytes = image_of_made(&m), alone = image_of(networks[_i], policy, "a");
    ck_assert_int_eq(bytes.data[3], 3);
    ck_assert_int_eq(alone.data[3], 3); // b is in its group
    ck_assert(job_image_is_same(bytes.data, bytes.len, bytes.data, bytes.len));
    returns(&m);
    buf_deinit(&bytes);
    buf_deinit(&alone);
    unmake(&m);
}
END_TEST

START_TEST(credentials_are_no_part_of_what_makes_two_jobs_the_same) {
    static const char policy[] = "{redundancy: [{group: \"{site}_{dev_type}\"}]}";
    static const char none[] =
        "{'earth': {" HOST("a", "spine", "1") ", " HOST("b", "spine", "1") "}}";
    static const char one[] =
        "{'earth': {" HOST("a", "spine", "1") ", " KEYED("b", "spine", "") "}}";
    struct buf a = image_of(none, policy, NULL), b = image_of(one, policy, NULL),
               c = image_of(one, policy, "a");
    ck_assert(job_image_is_same(a.data, a.len, b.data, b.len));
    ck_assert(job_image_is_same(b.data, b.len, a.data, a.len));
    ck_assert(job_image_is_same(b.data, b.len, b.data, b.len));
    ck_assert(!job_image_is_same(b.data, b.len, c.data, c.len));
    ck_assert(!job_image_is_same(a.data, a.len, c.data, c.len));
    ck_assert(!job_image_is_same("x", 1, "x", 1));
    buf_deinit(&a);
    buf_deinit(&b);
    buf_deinit(&c);
}
END_TEST

// --- at random

static void add_random_host(struct buf *text, uint64_t seed, uint64_t i) {
    uint64_t draw = rng_mix(seed, 100 + i);
    const bool is_ours = rng_range(draw, 0, 9) > 0;
    buf_addf(text, "%s'host%02u': {'platform': '%s', 'dev_type': 'type%u', 'hostname': '10.0.0.%u'",
             i == 0 ? "" : ", ", (unsigned)i, is_ours ? "acmeos" : "panos",
             (unsigned)(draw >> 8 & 3), (unsigned)(draw >> 16 & 3));
    buf_addf(text, ", 'port': %u", (unsigned)(1 + (draw >> 24 & 0xfff)));
    if ((draw >> 40 & 3) > 0) buf_addf(text, ", 'rack': '%u'", (unsigned)(draw >> 42 & 7));
    if ((draw >> 56 & 3) == 0) buf_adds(text, ", 'password': 'p'");
    if ((draw >> 58 & 3) == 0) buf_adds(text, ", 'tls': true");
    if ((draw >> 60 & 7) == 0) buf_adds(text, ", 'epochs': true");
    buf_addf(text, ", 'redundancy_groups': [");
    for (uint64_t group = 0; group < (draw >> 48 & 3); group++)
        buf_addf(text, "%s'g%u'", group == 0 ? "" : ", ",
                 (unsigned)(rng_mix(draw, group) % 4 + 4 * group));
    buf_addf(text, "]%s}", (draw >> 52 & 7) == 0 ? ", 'role': 'standby'" : "");
}

static void random_job(uint64_t seed) {
    static const char *const policies[] = {
        "{ungrouped: allow, redundancy: [{group: \"{redundancy_groups}\", max_unavailable: 2}]}",
        "{ungrouped: allow, redundancy: [{group: \"{rack}\", first: {role: standby}}], throttle: "
        "[{group: \"{redundancy_groups}\", at_once: 3}]}",
        "{redundancy: [{group: \"{site}\"}], throttle: [{group: \"{dev_type}\", at_once: 2}, "
        "{group: \"{rack}\", at_once: 5}]}",
    };
    const uint64_t hosts = rng_range(rng_mix(seed, 1), 1, 40), per = rng_range(seed, 1, 100);
    struct buf text = {0}, chosen = {0};
    buf_adds(&text, "{'earth': {");
    buf_adds(&chosen, "");
    for (uint64_t i = 0; i < hosts; i++) {
        if (i == hosts / 2 && i > 0) buf_adds(&text, "}, 'mars': {");
        add_random_host(&text, seed, i);
        if (rng_range(rng_mix(seed, 200 + i), 1, 100) <= per)
            buf_addf(&chosen, "host%02u ", (unsigned)i);
    }
    buf_adds(&text, "}}");
    for (char *comma; (comma = strstr(text.data, "{, ")) != NULL;)
        comma[1] = ' ';
    struct made m = make(text.data, policies[seed % COUNT(policies)], chosen.data);
    returns(&m);
    unmake(&m);
    buf_deinit(&text);
    buf_deinit(&chosen);
}

START_TEST(random_jobs_come_back_as_they_were) {
    run_seeds(300, random_job);
}
END_TEST

// --- what a disk, or a bug, may have made of it

START_TEST(every_bit_that_is_wrong_is_noticed) {
    struct buf bytes = image_of(network, several, "a d g");
    struct job_image image;
    struct error err;
    for (size_t bit = 0; bit < 8 * bytes.len; bit++) {
        bytes.data[bit / 8] = (char)(bytes.data[bit / 8] ^ 1 << bit % 8);
        int rc = job_image_read(bytes.data, bytes.len, &image, &err);
        ck_assert_msg(rc == ERROR_INPUT, "bit %zu", bit);
        bytes.data[bit / 8] = (char)(bytes.data[bit / 8] ^ 1 << bit % 8);
    }
    for (size_t len = 0; len < bytes.len; len++)
        ck_assert_int_eq(job_image_read(bytes.data, len, &image, &err), ERROR_INPUT);
    buf_deinit(&bytes);
}
END_TEST

// Exactly as much memory as there are bytes, so that a sanitizer sees a read past them.
static int read_sealed(const char *data, size_t len, struct job_image *image, struct error *err) {
    char *bytes = mem_alloc(len);
    memcpy(bytes, data, len);
    job_image_seal(bytes, len);
    int rc = job_image_read(bytes, len, image, err);
    free(bytes);
    return rc;
}

START_TEST(an_image_cut_short_is_noticed_though_its_checksum_is_right) {
    struct buf bytes = image_of(network, several, "a d g");
    struct job_image image;
    struct error err;
    for (size_t len = 0; len < bytes.len; len++)
        ck_assert_int_eq(read_sealed(bytes.data, len, &image, &err), ERROR_INPUT);
    buf_add(&bytes, "", 1);
    ck_assert_int_eq(read_sealed(bytes.data, bytes.len, &image, &err), ERROR_INPUT);
    ck_assert_str_eq(err.text, "the image of its hosts and groups: more follows its end");
    buf_deinit(&bytes);
}
END_TEST

static struct buf whole;

static void spoil(uint64_t seed) {
    struct buf bytes = {0};
    struct job_image image;
    struct error err;
    buf_add(&bytes, whole.data, whole.len);
    for (uint64_t i = 0; i < 3; i++) {
        const uint64_t at = rng_range(rng_mix(seed, i), 20, bytes.len - 1);
        bytes.data[at] = (char)rng_mix(seed, 10 + i);
    }
    if (read_sealed(bytes.data, bytes.len, &image, &err) == 0) job_image_deinit(&image);
    buf_deinit(&bytes);
}

START_TEST(a_spoilt_image_that_is_sealed_is_read_or_refused_and_no_more) {
    whole = image_of(network, several, "a d g");
    run_seeds(2000, spoil);
    buf_deinit(&whole);
}
END_TEST

static const struct text_case cases[] = {
#include "tests/unit/job_image_table.def"
};

static char *read_case(const struct text_case *one, struct error *err) {
    struct job_image image;
    if (read_sealed(one->text, one->len, &image, err) != 0) return NULL;
    struct buf selected = {0};
    buf_add_uint(&selected, image.selection.count);
    job_image_deinit(&image);
    return buf_take(&selected);
}

START_TEST(what_cannot_be_the_image_of_a_job_is_refused_with_the_reason) {
    struct buf wrong = {0};
    for (size_t i = 0; i < COUNT(cases); i++) {
        text_case_check(&cases[i], read_case, &wrong);
        text_case_check_seed(&cases[i], "job_image");
    }
    ck_assert_msg(wrong.len == 0, "%s", wrong.data);
}
END_TEST

START_TEST(the_checksum_comes_before_what_else_is_wrong) {
    static const char bytes[] = HEAD "\1" CHOSEN GROUP COHORT;
    struct job_image image;
    struct error err;
    ck_assert_int_eq(job_image_read(bytes, sizeof bytes - 1, &image, &err), ERROR_INPUT);
    ck_assert_str_eq(err.text, "the image of its hosts and groups: its checksum is wrong");
}
END_TEST

// --- how much room it takes

// As ACME's: eight sites of 100 leaves, two a rack, and six others.
START_TEST(a_host_of_acmes_takes_sixty_bytes_at_most) {
    struct buf text = {0};
    size_t hosts = 0;
    buf_adds(&text, "{");
    for (int site = 0; site < 8; site++) {
        buf_addf(&text, "%s'site%d': {", site == 0 ? "" : ", ", site);
        for (int i = 0; i < 106; i++, hosts++)
            buf_addf(&text,
                     "%s'%s%02d.site%d': {'platform': 'acmeos', 'dev_type': '%s', 'rack': '%d', "
                     "'hostname': '127.0.0.1', 'port': 8300}",
                     i == 0 ? "" : ", ", i < 100 ? "leaf" : "spine", i, site,
                     i < 100 ? "leaf" : "spine", 100 + i / 2);
        buf_adds(&text, "}");
    }
    buf_adds(&text, "}");
    struct buf image = image_of(text.data, "", NULL);
    ck_assert_msg(image.len <= 60 * hosts, "%zu bytes of %zu hosts", image.len, hosts);
    buf_deinit(&text);
    buf_deinit(&image);
}
END_TEST

Suite *check_job_image(void) {
    Suite *suite = suite_create("job_image");
    TCase *tcase = tcase_create("job_image");
    suite_add_tcase(suite, tcase);
    tcase_add_loop_test(tcase, an_image_gives_back_the_job_that_it_was_made_of, 0, 11);
    tcase_add_test(tcase, an_image_has_what_concerns_the_job_and_no_more);
    tcase_add_test(tcase, the_same_job_has_the_same_bytes_whatever_else_there_is);
    tcase_add_test(tcase, what_was_in_the_buffer_stays);
    tcase_add_test(tcase, an_image_says_who_had_credentials_and_not_which);
    tcase_add_test(tcase, without_credentials_an_image_is_what_older_orchestrators_write);
    tcase_add_loop_test(
        tcase, an_image_says_who_takes_epochs_and_older_orchestrators_do_not_read_it, 0, 2);
    tcase_add_test(tcase, credentials_are_no_part_of_what_makes_two_jobs_the_same);
    tcase_add_test(tcase, random_jobs_come_back_as_they_were);
    tcase_add_test(tcase, every_bit_that_is_wrong_is_noticed);
    tcase_add_test(tcase, an_image_cut_short_is_noticed_though_its_checksum_is_right);
    tcase_add_test(tcase, a_spoilt_image_that_is_sealed_is_read_or_refused_and_no_more);
    tcase_add_test(tcase, what_cannot_be_the_image_of_a_job_is_refused_with_the_reason);
    tcase_add_test(tcase, the_checksum_comes_before_what_else_is_wrong);
    tcase_add_test(tcase, a_host_of_acmes_takes_sixty_bytes_at_most);
    return suite;
}
