// A rule applies to a host in three steps: its `match` and `unless` want the host, the host has all
// that the template names, and each combination of values (a list has several) is a group.
//
// A group's key is the rule's number and its values, each with its length before it, so that no two
// groups have one key: site eu with type west_spine is not site eu_west with type spine.
#include "common/policy.h"

#include "common/json.h"
#include "common/mem.h"

#include <stdlib.h>
#include <string.h>

const char policy_default_text[] =
    "redundancy:\n"
    "  - {group: \"{redundancy_groups}\"}\n"
    "  - {group: \"{site}_leaf_{rack}\", match: {dev_type: leaf}, unless: {redundancy_groups: "
    "\"*\"}}\n"
    "  - {group: \"{site}_{dev_type}\", unless: {dev_type: leaf, redundancy_groups: \"*\"}}\n"
    "throttle: []\n";

// --- templates

static int wrong_template(const cJSON *value, const char *why, struct error *err) {
    error_set(err, "'%.80s': %s", value->valuestring, why);
    err->at = value;
    return ERROR_INPUT;
}

static struct policy_piece *add_piece(struct policy_rule *rule, const char *text, size_t len) {
    rule->pieces = mem_resize(rule->pieces, rule->pieces_count + 1, sizeof *rule->pieces);
    struct policy_piece *piece = &rule->pieces[rule->pieces_count++];
    *piece = (struct policy_piece){.text = mem_strndup(text, len)};
    return piece;
}

// The attribute between braces, from after the { on.
static int add_attribute(struct policy_piece *piece, const cJSON *value, const char *name,
                         struct attribute_names *names, struct error *err) {
    size_t len = strcspn(name, "{}");
    if (name[len] != '}') return wrong_template(value, "a { without its }", err);
    char *copy = mem_strndup(name, len);
    int rc = attribute_name_check(copy, err);
    if (rc == 0) {
        piece->has_attribute = true;
        piece->attribute = attribute_names_add(names, copy);
    } else {
        err->at = value;
    }
    free(copy);
    return rc;
}

static int parse_template(struct policy_rule *rule, const cJSON *value,
                          struct attribute_names *names, struct error *err) {
    const char *text = value->valuestring, *end;
    if (*text == '\0' || strlen(text) > POLICY_TEMPLATE_MAX) {
        error_set(err, "expected a text of 1 to %d bytes", POLICY_TEMPLATE_MAX);
        err->at = value;
        return ERROR_INPUT;
    }
    for (const char *c = text; *c != '\0'; c++)
        if ((unsigned char)*c < 0x20 || *c == 0x7f)
            return wrong_template(value, "it holds a control character", err);
    rule->group = mem_strdup(text);
    for (size_t places = 0; *text != '\0'; places++, text = end + 1) {
        size_t len = strcspn(text, "{}");
        if (text[len] == '}') return wrong_template(value, "a } without its {", err);
        struct policy_piece *piece = add_piece(rule, text, len);
        if (text[len] == '\0') break;
        if (places == POLICY_PLACES_MAX)
            return wrong_template(value, "it names more than 8 attributes", err);
        if (add_attribute(piece, value, text + len + 1, names, err) != 0) return ERROR_INPUT;
        end = strchr(text + len, '}');
    }
    return 0;
}

// --- rules

static int check_fields(const struct policy_rule *rule, const cJSON *object, struct error *err) {
    if (rule->redundancy)
        return JSON_ONLY(object, err, "group", "match", "unless", "max_unavailable", "first");
    return JSON_ONLY(object, err, "group", "match", "unless", "at_once");
}

static int parse_limit(struct policy_rule *rule, const cJSON *object, struct error *err) {
    uint64_t limit = 1;
    int rc = rule->redundancy
                 ? json_uint_opt(object, "max_unavailable", 1, POLICY_LIMIT_MAX, &limit, err)
                 : json_uint(object, "at_once", 1, POLICY_LIMIT_MAX, &limit, err);
    rule->limit = (uint32_t)limit;
    return rc;
}

static int parse_terms(struct terms *terms, const cJSON *object, const char *field,
                       struct attribute_names *names, struct error *err) {
    const cJSON *value = cJSON_GetObjectItemCaseSensitive(object, field);
    int rc = terms_parse(terms, value, names, err);
    if (rc != 0) error_in(err, "%s", field);
    return rc;
}

// `first: {}` would hold for everyone, and say nothing.
static int parse_first(struct policy_rule *rule, const cJSON *object, struct attribute_names *names,
                       struct error *err) {
    int rc = parse_terms(&rule->first, object, "first", names, err);
    const cJSON *value = cJSON_GetObjectItemCaseSensitive(object, "first");
    if (rc != 0 || value == NULL || rule->first.count > 0) return rc;
    error_set(err, "expected at least one attribute");
    error_in(err, "first");
    err->at = value;
    return ERROR_INPUT;
}

static int parse_group(struct policy_rule *rule, const cJSON *object, struct attribute_names *names,
                       struct error *err) {
    const cJSON *value = cJSON_GetObjectItemCaseSensitive(object, "group");
    const char *text;
    int rc;
    if (cJSON_IsObject(value)) { // {site} without quotes
        rc = error_set(err, "expected a text; put it in quotes, or YAML takes {} for an object");
        err->at = value;
    } else {
        rc = json_string(object, "group", &text, err);
        if (rc != 0) return rc;
        rc = parse_template(rule, value, names, err);
    }
    if (rc != 0) error_in(err, "group");
    return rc;
}

static int parse_rule(struct policy_rule *rule, const cJSON *object, struct attribute_names *names,
                      struct error *err) {
    int rc = json_as_object(object, err);
    if (rc == 0) rc = check_fields(rule, object, err);
    if (rc == 0) rc = parse_group(rule, object, names, err);
    if (rc == 0) rc = parse_terms(&rule->match, object, "match", names, err);
    if (rc == 0) rc = parse_terms(&rule->unless, object, "unless", names, err);
    if (rc == 0) rc = parse_first(rule, object, names, err);
    return rc == 0 ? parse_limit(rule, object, err) : rc;
}

static int parse_rules(struct policy *p, const cJSON *document, const char *field, bool redundancy,
                       const struct yml *y, struct error *err) {
    const cJSON *list = cJSON_GetObjectItemCaseSensitive(document, field), *object;
    if (list == NULL) return 0;
    if (!cJSON_IsArray(list) || cJSON_GetArraySize(list) > POLICY_RULES_MAX) {
        error_set(err, "expected an array of %d rules at most", POLICY_RULES_MAX);
        error_in(err, "%s", field);
        err->at = list;
        return ERROR_INPUT;
    }
    size_t index = 0;
    cJSON_ArrayForEach(object, list) {
        p->rules = mem_resize(p->rules, p->count + 1, sizeof *p->rules);
        struct policy_rule *rule = &p->rules[p->count++];
        *rule = (struct policy_rule){
            .redundancy = redundancy, .index = index, .line = y == NULL ? 0 : yml_line(y, object)};
        if (parse_rule(rule, object, &p->names, err) != 0) {
            error_in(err, "%s[%zu]", field, index);
            return ERROR_INPUT;
        }
        index++;
    }
    return 0;
}

static int parse_ungrouped(struct policy *p, const cJSON *document, struct error *err) {
    const char *ungrouped = NULL;
    int rc = json_string_opt(document, "ungrouped", &ungrouped, err);
    if (rc != 0 || ungrouped == NULL) return rc;
    p->ungrouped_allowed = strcmp(ungrouped, "allow") == 0;
    if (p->ungrouped_allowed) return 0;
    error_set(err, "'%.40s' is unknown; only allow is", ungrouped);
    error_in(err, "ungrouped");
    err->at = cJSON_GetObjectItemCaseSensitive(document, "ungrouped");
    return ERROR_INPUT;
}

// Without redundancy rules every host would be refused, at the first request.
static int check_rules(const struct policy *p, const cJSON *document, struct error *err) {
    if (p->ungrouped_allowed || (p->count > 0 && p->rules[0].redundancy)) return 0;
    error_set(err, "no rule: no host would be in a group; or say `ungrouped: allow`");
    error_in(err, "redundancy");
    err->at = document;
    return ERROR_INPUT;
}

int policy_parse(struct policy *p, const cJSON *value, const struct yml *y, const char *file,
                 struct error *err) {
    struct policy new = {.given = true};
    int rc = json_as_object(value, err);
    if (rc == 0) rc = JSON_ONLY(value, err, "redundancy", "throttle", "ungrouped");
    if (rc == 0) rc = parse_rules(&new, value, "redundancy", true, y, err);
    if (rc == 0) rc = parse_rules(&new, value, "throttle", false, y, err);
    if (rc == 0) rc = parse_ungrouped(&new, value, err);
    if (rc == 0) rc = check_rules(&new, value, err);
    if (rc != 0) {
        policy_deinit(&new);
        return rc;
    }
    new.file = file == NULL ? NULL : mem_strdup(file);
    *p = new;
    return 0;
}

int policy_load(struct policy *p, const char *path, struct error *err) {
    struct yml y = {0};
    int rc = yml_load(&y, path, err);
    if (rc == 0 && (rc = policy_parse(p, y.root, &y, path, err)) != 0) yml_place(&y, path, err);
    yml_deinit(&y);
    return rc;
}

void policy_default(struct policy *p) {
    struct yml y = {0};
    struct error err;
    int rc = yml_parse(&y, "default", policy_default_text, strlen(policy_default_text), &err);
    if (rc != 0 || policy_parse(p, y.root, NULL, NULL, &err) != 0) abort(); // it is ours
    p->given = false;
    yml_deinit(&y);
}

void policy_deinit(struct policy *p) {
    for (size_t i = 0; i < p->count; i++) {
        struct policy_rule *rule = &p->rules[i];
        for (size_t piece = 0; piece < rule->pieces_count; piece++)
            free(rule->pieces[piece].text);
        free(rule->pieces);
        free(rule->group);
        terms_deinit(&rule->match);
        terms_deinit(&rule->unless);
        terms_deinit(&rule->first);
    }
    free(p->rules);
    free(p->file);
    attribute_names_deinit(&p->names);
    *p = (struct policy){0};
}

bool policy_names(const struct policy *p, const char *attribute) {
    for (size_t i = 0; i < p->names.count; i++)
        if (strcmp(p->names.list[i], attribute) == 0) return true;
    return false;
}

void policy_write_rule(const struct policy *p, const struct policy_rule *rule, struct buf *out) {
    if (p->file != NULL) buf_addf(out, "%.200s:", p->file);
    if (p->file != NULL && rule->line > 0) buf_addf(out, "%u:", rule->line);
    buf_addf(out, "%s%s[%zu] \"%.80s\"", out->len == 0 ? "" : " ",
             rule->redundancy ? "redundancy" : "throttle", rule->index, rule->group);
}

// --- a host under a rule

bool policy_wants(const struct policy_rule *rule, const struct attributes *host) {
    return terms_all_hold(&rule->match, host) && !terms_any_holds(&rule->unless, host);
}

const char *policy_lacking(const struct policy *p, const struct policy_rule *rule,
                           const struct attributes *host) {
    for (size_t i = 0; i < rule->pieces_count; i++) {
        const struct policy_piece *piece = &rule->pieces[i];
        if (piece->has_attribute && host->get(host->host, piece->attribute).count == 0)
            return p->names.list[piece->attribute];
    }
    return NULL;
}

bool policy_goes_first(const struct policy_rule *rule, const struct attributes *host) {
    return rule->first.count > 0 && terms_all_hold(&rule->first, host);
}

// What becomes part of a name that stands in logs and answers. {{ is a template of somebody else's,
// not filled in: all hosts would seem to share a value.
static int check_value(const char *attribute, const char *value, struct error *err) {
    const char *why = NULL;
    if (strlen(value) > TERMS_VALUE_MAX)
        why = "it is longer than 255 bytes";
    else if (strstr(value, "{{") != NULL)
        why = "{{ is not filled in";
    for (const char *c = value; why == NULL && *c != '\0'; c++)
        if ((unsigned char)*c < 0x20 || *c == 0x7f) why = "it holds a control character";
    if (why == NULL) return 0;
    error_set(err, "'%.60s' cannot name a group: %s", value, why);
    error_in(err, "%s", attribute);
    return ERROR_INPUT;
}

struct places { // the attributes of a template, in its order, and their values of one host
    struct attribute_values values[POLICY_PLACES_MAX];
    size_t chosen[POLICY_PLACES_MAX]; // an index into each
    size_t count, groups;
};

static int find_places(struct places *places, const struct policy *p,
                       const struct policy_rule *rule, const struct attributes *host,
                       struct error *err) {
    *places = (struct places){.groups = 1};
    for (size_t i = 0; i < rule->pieces_count; i++) {
        const struct policy_piece *piece = &rule->pieces[i];
        if (!piece->has_attribute) continue;
        struct attribute_values values = host->get(host->host, piece->attribute);
        for (size_t v = 0; v < values.count; v++)
            if (check_value(p->names.list[piece->attribute], values.list[v], err) != 0)
                return ERROR_INPUT;
        places->values[places->count++] = values;
        places->groups *= values.count;
        if (places->groups <= POLICY_HOST_GROUPS_MAX) continue;
        return error_set(err, "more than %d groups of one host", POLICY_HOST_GROUPS_MAX);
    }
    return 0;
}

static void write_key(const struct places *places, size_t rule, struct buf *key) {
    buf_clear(key);
    buf_add_uint(key, rule);
    buf_adds(key, " ");
    for (size_t i = 0; i < places->count; i++) {
        const char *value = places->values[i].list[places->chosen[i]];
        buf_add_uint(key, strlen(value));
        buf_adds(key, ":");
        buf_adds(key, value);
    }
}

// The last place changes fastest, like a counter's digits.
static void choose_next(struct places *places) {
    for (size_t i = places->count; i-- > 0;) {
        if (++places->chosen[i] < places->values[i].count) return;
        places->chosen[i] = 0;
    }
}

int policy_groups(const struct policy *p, const struct policy_rule *rule,
                  const struct attributes *host, policy_group_fn fn, void *arg, struct error *err) {
    struct places places;
    if (policy_lacking(p, rule, host) != NULL || !policy_wants(rule, host)) return 0;
    int rc = find_places(&places, p, rule, host, err);
    if (rc != 0) return rc;
    struct buf key = {0};
    for (size_t i = 0; i < places.groups; i++) {
        write_key(&places, (size_t)(rule - p->rules), &key);
        fn(arg, key.data);
        choose_next(&places);
    }
    buf_deinit(&key);
    return 0;
}

const struct policy_rule *policy_rule_of(const struct policy *p, const char *key) {
    return &p->rules[strtoul(key, NULL, 10)];
}

void policy_write_name(const struct policy *p, const char *key, struct buf *out) {
    const struct policy_rule *rule = policy_rule_of(p, key);
    const char *at = strchr(key, ' ') + 1;
    for (size_t i = 0; i < rule->pieces_count; i++) {
        buf_adds(out, rule->pieces[i].text);
        if (!rule->pieces[i].has_attribute) continue;
        char *end;
        size_t len = strtoul(at, &end, 10);
        buf_add(out, end + 1, len);
        at = end + 1 + len;
    }
}
