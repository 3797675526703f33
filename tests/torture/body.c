#include "tests/torture/body.h"

#include "common/buf.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

static const char *one_host(struct draw *d, const struct place *place) {
    return place->names[draw_number(d, 0, place->hosts - 1)];
}

// --- a job

static void add_hosts(struct draw *d, const struct place *place, struct buf *body) {
    const unsigned count = draw_number(d, 1, 6);
    buf_adds(body, ", 'filter_hosts': [");
    for (unsigned i = 0; i < count; i++) {
        const char *name = one_host(d, place);
        if (draw_chance(d, 20)) // all of its type
            buf_addf(body, "%s'%.4s*'", i == 0 ? "" : ", ", name);
        else
            buf_addf(body, "%s'%s'", i == 0 ? "" : ", ", name);
    }
    buf_adds(body, "]");
}

static void add_filter(struct draw *d, const struct place *place, struct buf *body) {
    const char *name = one_host(d, place);
    switch (draw_number(d, 0, 3)) {
    case 0:
        add_hosts(d, place, body);
        break;
    case 1:
        buf_addf(body, ", 'filter_sites': ['%s']", strchr(name, '.') + 1);
        break;
    default:
        break; // all
    }
}

static void add_brakes(struct draw *d, const struct place *place, struct buf *body) {
    if (draw_chance(d, 15)) buf_addf(body, ", 'workers': %u", draw_number(d, 1, 5));
    if (draw_chance(d, 10)) buf_addf(body, ", 'max_failures': %u", draw_number(d, 0, 5));
    if (!place->has_first && draw_chance(d, 10))
        buf_addf(body, ", 'canaries': %u", draw_number(d, 1, 2));
    if (draw_chance(d, 10)) buf_addf(body, ", 'host_timeout': '%ums'", draw_number(d, 20, 2000));
    if (draw_chance(d, 10)) buf_addf(body, ", 'job_timeout': '%ums'", draw_number(d, 100, 3000));
    if (draw_chance(d, 10)) buf_adds(body, ", 'downgrade': 'refuse'");
}

void body_draw_job(struct draw *d, const struct place *place, char body[BODY_MAX]) {
    struct buf text = {0};
    buf_addf(&text, "{'version': '6.0.%u'", draw_number(d, 1, 4));
    add_filter(d, place, &text);
    add_brakes(d, place, &text);
    buf_adds(&text, "}");
    assert(text.len < BODY_MAX);
    memcpy(body, text.data, text.len + 1);
    buf_deinit(&text);
}

// --- a fault

static const struct {
    const char *on, *effect;
} faults[] = {
    {"login", "'error'"},
    {"login", "'refuse'"},
    {"login", "'close'"},
    {"login", "'no_reply'"},
    {"login", "'garbage'"},
    {"get_version", "'error'"},
    {"get_version", "'reset'"},
    {"get_version", "'no_reply'"},
    {"get_version", "'delay', 'by': '300ms'"},
    {"get_version", "'truncate'"},
    {"install_os_version", "'error'"},
    {"install_os_version", "'reset'"},
    {"install_os_version", "'close'"},
    {"install_os_version", "'no_reply'"},
    {"install_os_version", "'delay', 'by': '500ms'"},
    {"install_os_version", "'truncate'"},
    {"install_os_version", "'garbage'"},
    {"install_os_version", "'wrong_id'"},
    {"install_os_version", "'reboot', 'downtime': '200ms'"},
    {"install_os_version", "'reboot', 'downtime': '1s'"},
    {"install_os_version", "'brick'"},
    {"logout", "'no_reply'"},
    {"logout", "'reset'"},
    {"any", "'slow', 'bytes_per_second': 2000"},
    {"any", "'close'"},
};

void body_draw_fault(struct draw *d, const struct place *place, char body[BODY_MAX]) {
    const size_t i = draw_number(d, 0, COUNT(faults) - 1);
    const char *name = one_host(d, place);
    char match[64];
    if (draw_chance(d, 50))
        snprintf(match, sizeof match, "'host': '%s'", name);
    else
        snprintf(match, sizeof match, "'site': '%s'", strchr(name, '.') + 1);
    snprintf(body, BODY_MAX,
             "{'match': {%s}, 'on': '%s', 'effect': %s, 'probability': 0.%u, 'after': %u, 'times': "
             "%u}",
             match, faults[i].on, faults[i].effect, draw_number(d, 1, 9), draw_number(d, 0, 2),
             draw_number(d, 1, 2));
}

void body_quote(char *text) {
    for (; *text != '\0'; text++)
        if (*text == '\'') *text = '"';
}
