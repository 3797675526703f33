// The file of --credentials. What is taken is a name and a password that a device can be sent.
#include "orchestrator/credentials.h"
#include "common/count.h"
#include "tests/fuzz/fuzz.h"

static void check_one(const char *text) {
    struct error err;
    assert(text == NULL || secret_check(text, &err) == 0);
}

static void check_rules(const struct credentials_rules *rules) {
    for (size_t i = 0; i < rules->count; i++) {
        assert(rules->list[i].name != NULL && rules->list[i].name[0] != '\0');
        check_one(rules->list[i].credentials.username);
        check_one(rules->list[i].credentials.password);
    }
}

static bool is_same(const char *a, const char *b) {
    return a == b || (a != NULL && b != NULL && strcmp(a, b) == 0);
}

// A host that the file names has what it says there, whatever else it says. What the inventory says
// goes before.
static void check_chosen(const struct credentials_file *file) {
    static const char *group_names[] = {"earth_leaf_1", "earth_spine"};
    const struct names groups = {.list = group_names, .count = COUNT(group_names)};
    const struct credentials none = {0}, own = {"own", "secret"};
    for (size_t i = 0; i < file->hosts.count; i++) {
        const struct credentials_rule *rule = &file->hosts.list[i];
        struct credentials chosen = credentials_choose(file, none, rule->name, &groups, "earth");
        if (rule->credentials.username != NULL)
            assert(is_same(chosen.username, rule->credentials.username));
        if (rule->credentials.password != NULL)
            assert(is_same(chosen.password, rule->credentials.password));
        chosen = credentials_choose(file, own, rule->name, &groups, "earth");
        assert(is_same(chosen.username, "own") && is_same(chosen.password, "secret"));
    }
    const struct credentials other =
        credentials_choose(file, none, "leaf00.earth", &groups, "mars");
    check_one(other.username);
    check_one(other.password);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct credentials_file file = {0};
    struct error err = {0};
    mem_init();
    const int rc = credentials_parse(&file, "c.yaml", (const char *)data, size, &err);
    if (rc != 0) {
        assert(rc == ERROR_INPUT && strncmp(err.text, "c.yaml", 6) == 0);
        return 0;
    }
    check_rules(&file.hosts);
    check_rules(&file.globs);
    check_rules(&file.groups);
    check_rules(&file.sites);
    assert(file.globs.count <= CREDENTIALS_GLOBS_MAX);
    check_chosen(&file);
    credentials_deinit(&file);
    return 0;
}
