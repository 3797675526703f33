#include "orchestrator/limit.h"

#include "common/buf.h"
#include "common/bytes.h"
#include "common/count.h"
#include "common/duration.h"
#include "common/file.h"
#include "common/inventory.h"
#include "common/log.h"
#include "common/options.h"
#include "common/rpc.h"
#include "common/suggest.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

const struct limit_spec limit_specs[] = {
#define X(field, name, unit, standard, least, most)                                                \
    {name, LIMIT_##unit, standard, least, most, offsetof(struct limits, field)},
#include "orchestrator/limits.def"
#undef X
};
const size_t limit_specs_count = COUNT(limit_specs);

void limits_default(struct limits *l) {
#define X(field, name, unit, standard, least, most) l->field = standard;
#include "orchestrator/limits.def"
#undef X
}

void limit_format(const struct limit_spec *spec, uint64_t value, char text[LIMIT_TEXT_MAX]) {
    switch (spec->unit) {
    case LIMIT_COUNT:
        snprintf(text, LIMIT_TEXT_MAX, "%" PRIu64, value);
        break;
    case LIMIT_BYTES:
        bytes_format(value, text);
        break;
    case LIMIT_DURATION:
        duration_format(value * 1000, text);
        break;
    }
}

static const struct limit_spec *find(const char *name, size_t len) {
    for (size_t i = 0; i < COUNT(limit_specs); i++)
        if (strlen(limit_specs[i].name) == len && memcmp(limit_specs[i].name, name, len) == 0)
            return &limit_specs[i];
    return NULL;
}

static int unknown(const char *name, size_t len, struct error *err) {
    const char *names[COUNT(limit_specs)];
    char word[64];
    struct buf all = {0};
    snprintf(word, sizeof word, "%.*s", (int)(len < 40 ? len : 40), name);
    for (size_t i = 0; i < COUNT(limit_specs); i++) {
        names[i] = limit_specs[i].name;
        buf_addf(&all, "%s%s", i == 0 ? "" : ", ", names[i]);
    }
    const char *near = suggest(word, names, COUNT(limit_specs));
    error_set(err, "'%s' is no limit%s%s%s those are: %s", word,
              near == NULL ? ";" : "; did you mean ", near == NULL ? "" : near,
              near == NULL ? "" : "?", all.data);
    buf_deinit(&all);
    return ERROR_INPUT;
}

static int parse(const struct limit_spec *spec, const char *value, uint64_t *out,
                 struct error *err) {
    uint64_t us = 0;
    int rc = 0;
    switch (spec->unit) {
    case LIMIT_COUNT:
        return options_number(value, spec->least, spec->most, out, err);
    case LIMIT_BYTES:
        return bytes_parse(value, out, err);
    case LIMIT_DURATION:
        rc = duration_parse(value, &us, err);
        if (rc == 0) *out = us / 1000;
        return rc;
    }
    return rc;
}

static int check(const struct limit_spec *spec, uint64_t value, struct error *err) {
    char given[LIMIT_TEXT_MAX], least[LIMIT_TEXT_MAX], most[LIMIT_TEXT_MAX];
    if (value >= spec->least && value <= spec->most) return 0;
    limit_format(spec, value, given);
    limit_format(spec, spec->least, least);
    limit_format(spec, spec->most, most);
    return error_set(err, "%s: expected from %s to %s", given, least, most);
}

int limit_set(struct limits *l, const char *text, struct error *err) {
    const size_t len = strcspn(text, "=");
    uint64_t value = 0;
    const struct limit_spec *spec = find(text, len);
    if (spec == NULL) return unknown(text, len, err);
    if (text[len] == '\0')
        return error_set(err, "'%.40s' has no value: write %.40s=VALUE", text, text);
    int rc = parse(spec, text + len + 1, &value, err);
    if (rc == 0) rc = check(spec, value, err);
    if (rc != 0)
        error_in(err, "%s", spec->name);
    else
        memcpy((char *)l + spec->at, &value, sizeof value);
    return rc;
}
