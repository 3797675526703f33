#include "orchestrator/credentials.h"

#include "common/glob.h"
#include "common/inventory_builder.h"
#include "common/json.h"
#include "common/mem.h"
#include "common/secret.h"

#include <stdlib.h>
#include <string.h>

// --- the file

static int check_name(const char *name, bool is_group, struct error *err) {
    if (!is_group) return inventory_check_name(name, "the name", err);
    return *name == '\0' ? error_set(err, "the name is empty") : 0;
}

static int read_entry(const cJSON *entry, struct credentials *out, struct error *err) {
    int rc = json_as_object(entry, err);
    if (rc == 0) rc = JSON_ONLY(entry, err, "username", "password");
    if (rc == 0)
        rc = inventory_builder_secret(cJSON_GetObjectItemCaseSensitive(entry, "username"),
                                      &out->username, err);
    if (rc == 0)
        rc = inventory_builder_secret(cJSON_GetObjectItemCaseSensitive(entry, "password"),
                                      &out->password, err);
    if (rc == 0 && out->username == NULL && out->password == NULL)
        rc = error_set(err, "expected username, password, or both");
    return rc;
}

static const char *share(struct texts *texts, const char *text) {
    return text == NULL ? NULL : texts_share(texts, text);
}

static void add_rule(struct credentials_file *file, struct credentials_rules *rules,
                     const char *name, const struct credentials *credentials) {
    rules->list[rules->count++] = (struct credentials_rule){
        texts_share(&file->texts, name),
        {share(&file->texts, credentials->username), share(&file->texts, credentials->password)}};
}

static int read_entries(struct credentials_file *file, const cJSON *entries, struct error *err) {
    const bool are_hosts = strcmp(entries->string, "hosts") == 0;
    const bool are_groups = strcmp(entries->string, "groups") == 0;
    struct credentials_rules *rules = are_hosts    ? &file->hosts
                                      : are_groups ? &file->groups
                                                   : &file->sites;
    const cJSON *entry;
    int rc = json_as_object(entries, err);
    if (rc != 0) return rc;
    const size_t count = (size_t)cJSON_GetArraySize(entries);
    rules->list = mem_array(count, sizeof *rules->list);
    if (are_hosts) file->globs.list = mem_array(count, sizeof *file->globs.list);
    cJSON_ArrayForEach(entry, entries) {
        struct credentials credentials = {0};
        const bool is_glob = are_hosts && glob_is(entry->string);
        rc = check_name(entry->string, are_groups, err);
        if (rc == 0) rc = read_entry(entry, &credentials, err);
        if (rc == 0 && is_glob && file->globs.count == CREDENTIALS_GLOBS_MAX)
            rc = error_set(err, "more than %d globs", CREDENTIALS_GLOBS_MAX);
        if (rc != 0) {
            if (*entry->string != '\0') error_in(err, "%.100s", entry->string);
            if (err->at == NULL) err->at = entry;
            return rc;
        }
        add_rule(file, is_glob ? &file->globs : rules, entry->string, &credentials);
    }
    return 0;
}

static int read_document(struct credentials_file *file, const cJSON *root, struct error *err) {
    const cJSON *entries;
    int rc = json_as_object(root, err);
    if (rc == 0) rc = JSON_ONLY(root, err, "hosts", "groups", "sites");
    if (rc != 0) return rc;
    cJSON_ArrayForEach(entries, root) {
        rc = read_entries(file, entries, err);
        if (rc == 0) continue;
        error_in(err, "%s", entries->string);
        if (err->at == NULL) err->at = entries;
        return rc;
    }
    return 0;
}

static void index_rules(struct credentials_rules *rules) {
    strmap_reserve(&rules->by_name, rules->count);
    for (size_t i = 0; i < rules->count; i++)
        strmap_put(&rules->by_name, rules->list[i].name, &rules->list[i]);
}

int credentials_parse(struct credentials_file *file, const char *name, const char *text, size_t len,
                      struct error *err) {
    struct credentials_file read = {0};
    struct yml y = {0};
    int rc = yml_parse(&y, name, text, len, err);
    if (rc != 0) return rc;
    rc = read_document(&read, y.root, err);
    if (rc != 0) yml_place(&y, name, err);
    yml_deinit(&y);
    texts_forget_shared(&read.texts);
    if (rc != 0) {
        credentials_deinit(&read);
        return rc;
    }
    index_rules(&read.hosts);
    index_rules(&read.groups);
    index_rules(&read.sites);
    *file = read;
    return 0;
}

int credentials_load(struct credentials_file *file, const char *path, struct error *err) {
    struct buf text = {0};
    int rc = secret_read_private(path, CREDENTIALS_BYTES_MAX, &text, err);
    if (rc == 0)
        rc = credentials_parse(file, path, text.data == NULL ? "" : text.data, text.len, err);
    buf_deinit(&text);
    return rc;
}

void credentials_deinit(struct credentials_file *file) {
    struct credentials_rules *all[] = {&file->hosts, &file->globs, &file->groups, &file->sites};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        free(all[i]->list);
        strmap_deinit(&all[i]->by_name);
    }
    texts_deinit(&file->texts);
    *file = (struct credentials_file){0};
}

// --- the choice

static bool is_whole(const struct credentials *c) {
    return c->username != NULL && c->password != NULL;
}

static void add(struct credentials *c, const struct credentials_rule *rule) {
    if (rule == NULL) return;
    if (c->username == NULL) c->username = rule->credentials.username;
    if (c->password == NULL) c->password = rule->credentials.password;
}

// Of the rules for these names the first that stands behind the one before, in the file.
static const struct credentials_rule *next_of(const struct credentials_rules *rules,
                                              const struct names *names,
                                              const struct credentials_rule *before) {
    const struct credentials_rule *next = NULL;
    for (size_t i = 0; i < names->count; i++) {
        const struct credentials_rule *rule = strmap_get(&rules->by_name, names->list[i]);
        if (rule == NULL || (before != NULL && rule <= before)) continue;
        if (next == NULL || rule < next) next = rule;
    }
    return next;
}

struct credentials credentials_choose(const struct credentials_file *file, struct credentials own,
                                      const char *host, const struct names *groups,
                                      const char *site) {
    struct credentials chosen = own;
    const struct credentials_rule *rule = NULL;
    add(&chosen, strmap_get(&file->hosts.by_name, host));
    for (size_t i = 0; i < file->globs.count && !is_whole(&chosen); i++)
        if (glob_matches(file->globs.list[i].name, host)) add(&chosen, &file->globs.list[i]);
    while (!is_whole(&chosen) && (rule = next_of(&file->groups, groups, rule)) != NULL)
        add(&chosen, rule);
    add(&chosen, strmap_get(&file->sites.by_name, site));
    return chosen;
}

// --- the groups of a host

struct asked { // a host, as policy_groups() asks for its attributes
    const struct policy *policy;
    const struct inventory *inventory;
    size_t host;
    struct names *groups;
};

static struct attribute_values value_of(const void *arg, size_t name) {
    const struct asked *asked = arg;
    const int number = inventory_attribute(asked->inventory, asked->policy->names.list[name]);
    if (number < 0) return (struct attribute_values){0};
    return inventory_values(asked->inventory, asked->host, number);
}

static void add_name(struct names *names, const char *name) {
    names->list = mem_resize(names->list, names->count + 1, sizeof *names->list);
    names->list[names->count++] = name;
}

static void on_group(void *arg, const char *key) {
    const struct asked *asked = arg;
    struct buf name = {0};
    policy_write_name(asked->policy, key, &name);
    if (name.len > 0) add_name(asked->groups, buf_take(&name));
}

// A rule that fails gives no group: a job under it is refused.
static void find_groups(struct asked *asked) {
    const struct attributes attributes = {value_of, asked};
    struct error err;
    for (size_t i = 0; i < asked->policy->count; i++)
        if (asked->policy->rules[i].redundancy)
            policy_groups(asked->policy, &asked->policy->rules[i], &attributes, on_group, asked,
                          &err);
}

static void names_deinit(struct names *names) {
    for (size_t i = 0; i < names->count; i++)
        free((void *)(uintptr_t)names->list[i]);
    free(names->list);
}

static struct credentials choose(const struct credentials_file *file,
                                 const struct inventory *inventory, size_t host,
                                 const struct names *groups) {
    const struct host *h = &inventory->hosts[host];
    return credentials_choose(file, inventory_credentials(inventory, host), h->name, groups,
                              inventory_site(inventory, h));
}

struct credentials credentials_of(const struct credentials_file *file, const struct policy *policy,
                                  const struct inventory *inventory, size_t host) {
    struct names groups = {0};
    struct asked asked = {policy, inventory, host, &groups};
    const struct credentials own = inventory_credentials(inventory, host);
    if (file == NULL || is_whole(&own)) return own;
    if (file->groups.count > 0) find_groups(&asked);
    const struct credentials chosen = choose(file, inventory, host, &groups);
    names_deinit(&groups);
    return chosen;
}

struct credentials credentials_of_image(const struct credentials_file *file,
                                        const struct inventory *inventory, size_t host,
                                        const struct grouping *grouping,
                                        const struct cohort *cohort) {
    struct names groups = {0};
    if (file == NULL) return inventory_credentials(inventory, host);
    for (uint32_t i = 0; i < cohort->needs_count; i++) {
        const uint32_t need = need_constraint(cohort_needs(grouping, cohort)[i]);
        const struct constraint *constraint = &grouping->constraints[need];
        if (constraint->redundancy) add_name(&groups, mem_strdup(constraint->name));
    }
    const struct credentials chosen = choose(file, inventory, host, &groups);
    names_deinit(&groups);
    return chosen;
}
