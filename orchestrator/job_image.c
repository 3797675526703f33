// The format. Numbers are LEB128 (seven bits a byte, the lowest first) but for two in the head,
// texts end in a NUL:
//
//      "ORJ", version (1 byte), checksum of what follows (8 bytes, little-endian), hash of the
//      policy (the same)
//      hosts; of each: name, platform, site, device type, rack, address, port * 2 + is it selected,
//          and 131072 more where it is spoken to over TLS, 262144 more where it takes epochs (from
//          version 3 on)
//      constraints; how long their texts are; of each key and name; then
//          of each: limit, members * 2 + is it redundancy, others, each other's number here
//      of each selected host: its cohort
//      from version 2 on: how many hosts have credentials of their own; of each how far it stands
//          behind the one before, counted from 1; where this began (8 bytes, little-endian)
//
// Each image is of the first version that can say it, for older orchestrators read that, too: of
// version 1 where no host has credentials of its own, of version 2 where none takes epochs.
//
// A platform, a site or a device type is 0 (none), 1 and its name where it is new, else 2 + its
// number in order of appearance. A rack or an address is 0 and the text, or 1 + the number of an
// earlier one; the writer knows the last few thousand of them, not all. A cohort is 0 where it is
// new, and then: how many needs, each its constraint * 2 + does it go first; else how many cohorts
// back it began, and one. So a host of ACME's takes some 45 bytes.
//
// The checksum finds what a disk has spoilt. Each number is checked all the same, for a bug that
// writes nonsense would seal it, too.
#include "orchestrator/job_image.h"

#include "common/inventory_builder.h"
#include "common/mem.h"
#include "common/rng.h"

#include <assert.h>
#include <endian.h>
#include <stdlib.h>
#include <string.h>

enum {
    VERSION = 3,             // some host takes epochs
    VERSION_CREDENTIALS = 2, // some host has credentials of its own
    VERSION_PLAIN = 1,
    TAIL = 8, // from version 2 on: the number at its end
    SUM_AT = 4,
    POLICY_AT = SUM_AT + 8,
    HEAD = POLICY_AT + 8,
    TLS_BIT = 17,       // above a port and whether it is selected
    EPOCHS_BIT = 18,    // above that
    SHARED = 4096,      // texts that the writer knows; a power of two
    HOST_MIN = 8,       // bytes of one: a name of one letter and its NUL, and six numbers
    HOST_USUAL = 64,    // ... with its share of the groups
    CONSTRAINT_MIN = 5, // key and name empty, and three numbers
};

static const char magic[] = "ORJ";

// Of whole words, for images are large; each changes all that come after it.
static uint64_t checksum(const unsigned char *bytes, size_t len) {
    uint64_t sum = len, word;
    for (; len >= sizeof word; bytes += sizeof word, len -= sizeof word) {
        memcpy(&word, bytes, sizeof word);
        sum = (sum ^ le64toh(word)) * UINT64_C(0x9e3779b97f4a7c15);
        sum ^= sum >> 32;
    }
    word = 0;
    memcpy(&word, bytes, len);
    return rng_mix(sum, le64toh(word));
}

static uint64_t number_at(const unsigned char *bytes) {
    uint64_t word;
    memcpy(&word, bytes, sizeof word);
    return le64toh(word);
}

static void put_number_at(unsigned char *bytes, uint64_t number) {
    const uint64_t word = htole64(number);
    memcpy(bytes, &word, sizeof word);
}

void job_image_seal(void *bytes, size_t len) {
    unsigned char *image = bytes;
    if (len < HEAD) return;
    put_number_at(image + SUM_AT, checksum(image + POLICY_AT, len - POLICY_AT));
}

// --- writing

struct naming { // of sites, say
    const struct names *names;
    uint32_t *numbers; // by index into names: in order of appearance, from 1; 0: not yet
    uint32_t count;
};

struct writer {
    struct buf *out;
    const struct inventory *inventory;
    const struct selection *selection;
    const struct grouping *grouping;
    uint32_t *numbers; // by host: its number in the image
    bool *is_in;       // by host: it is in the image
    bool has_epochs;   // a host that is in it takes some
    struct naming platforms, sites, dev_types;
    struct {
        const char *text;
        uint32_t number;
    } shared[SHARED];
    uint32_t shared_count;
};

static void put(struct buf *out, uint64_t number) {
    unsigned char bytes[10];
    size_t len = 0;
    for (; number >= 0x80; number >>= 7)
        bytes[len++] = (unsigned char)(number | 0x80);
    bytes[len++] = (unsigned char)number;
    buf_add(out, bytes, len);
}

static void put_text(struct buf *out, const char *text) {
    buf_add(out, text, strlen(text) + 1);
}

static void put_name(struct buf *out, struct naming *naming, uint16_t index) {
    if (index == INVENTORY_NO_NAME) {
        put(out, 0);
    } else if (naming->numbers[index] > 0) {
        put(out, 1 + naming->numbers[index]);
    } else {
        put(out, 1);
        put_text(out, naming->names->list[index]);
        naming->numbers[index] = ++naming->count;
    }
}

static void put_shared(struct writer *w, const char *text) {
    const size_t slot = rng_hash(text) & (SHARED - 1);
    if (w->shared[slot].text != NULL && strcmp(w->shared[slot].text, text) == 0) {
        put(w->out, 1 + (uint64_t)w->shared[slot].number);
        return;
    }
    put(w->out, 0);
    put_text(w->out, text);
    w->shared[slot].text = text;
    w->shared[slot].number = w->shared_count++;
}

static void put_host(struct writer *w, const struct host *host, bool is_selected) {
    put_text(w->out, host->name);
    put_name(w->out, &w->platforms, host->platform);
    put_name(w->out, &w->sites, host->site);
    put_name(w->out, &w->dev_types, host->dev_type);
    put_shared(w, host->rack);
    put_shared(w, host->address);
    put(w->out, (uint64_t)host->epochs << EPOCHS_BIT | (uint64_t)host->tls << TLS_BIT |
                    (uint64_t)host->port << 1 | is_selected);
    w->has_epochs = w->has_epochs || host->epochs;
}

enum { SELECTED = 1, OTHER = 2 }; // in writer.numbers, before there are any

static uint32_t mark_hosts(struct writer *w) {
    const struct grouping *g = w->grouping;
    uint32_t count = (uint32_t)w->selection->count;
    for (size_t i = 0; i < w->selection->count; i++)
        w->numbers[w->selection->hosts[i]] = SELECTED;
    for (size_t c = 0; c < g->count; c++)
        for (uint32_t i = 0; i < g->constraints[c].others_count; i++) {
            uint32_t *number = &w->numbers[g->others[g->constraints[c].others + i]];
            if (*number == 0) count++;
            if (*number == 0) *number = OTHER;
        }
    return count;
}

static void put_hosts(struct writer *w) {
    const struct inventory *inventory = w->inventory;
    uint32_t number = 0;
    w->platforms.numbers[0] = w->platforms.count = 1; // acmeos: every inventory begins with it
    const uint32_t count = mark_hosts(w);
    buf_reserve(w->out, (size_t)count * HOST_USUAL); // growing would copy a large one over and over
    put(w->out, count);
    for (size_t i = 0; i < inventory->count; i++) {
        if (w->numbers[i] == 0) continue;
        put_host(w, &inventory->hosts[i], w->numbers[i] == SELECTED);
        w->is_in[i] = true;
        w->numbers[i] = number++;
    }
}

static void put_constraints(struct writer *w) {
    const struct grouping *g = w->grouping;
    size_t texts = 0;
    for (size_t i = 0; i < g->count; i++)
        texts += strlen(g->constraints[i].key) + strlen(g->constraints[i].name) + 2;
    put(w->out, g->count);
    put(w->out, texts);
    for (size_t i = 0; i < g->count; i++) {
        put_text(w->out, g->constraints[i].key);
        put_text(w->out, g->constraints[i].name);
    }
    for (size_t i = 0; i < g->count; i++) {
        const struct constraint *c = &g->constraints[i];
        put(w->out, c->limit);
        put(w->out, (uint64_t)c->members << 1 | c->redundancy);
        put(w->out, c->others_count);
        for (uint32_t o = 0; o < c->others_count; o++)
            put(w->out, w->numbers[g->others[c->others + o]]);
    }
}

static void put_cohort(struct buf *out, const struct grouping *g, const struct cohort *cohort) {
    const uint32_t *needs = cohort_needs(g, cohort);
    put(out, 0);
    put(out, cohort->needs_count);
    for (uint32_t i = 0; i < cohort->needs_count; i++)
        put(out, (uint64_t)need_constraint(needs[i]) << 1 | (needs[i] >= NEED_FIRST));
}

static void put_cohorts(struct writer *w) {
    const struct grouping *g = w->grouping;
    uint32_t *cohort_of = mem_array(w->inventory->count, sizeof *cohort_of), count = 0;
    for (uint32_t c = 0; c < g->cohorts_count; c++)
        for (uint32_t i = 0; i < g->cohorts[c].count; i++)
            cohort_of[g->order[g->cohorts[c].first + i]] = c;
    for (size_t i = 0; i < w->selection->count; i++) {
        const uint32_t cohort = cohort_of[w->selection->hosts[i]];
        assert(cohort <= count); // they stand in the order of their first hosts
        if (cohort == count)
            put_cohort(w->out, g, &g->cohorts[count++]);
        else
            put(w->out, count - cohort);
    }
    free(cohort_of);
}

static bool has_credentials(const struct inventory *inventory, size_t host) {
    const struct credentials own = inventory_credentials(inventory, host);
    return own.username != NULL || own.password != NULL ||
           inventory_withholds_credentials(inventory, host);
}

// Of the hosts of the image. Returns its version: of a plain one nothing is written.
static char put_credentials(struct writer *w, size_t start) {
    const struct inventory *inventory = w->inventory;
    const uint64_t began = w->out->len - start;
    struct buf hosts = {0};
    uint32_t number = 0, before = 0, count = 0;
    for (size_t i = 0; i < inventory->count && inventory->credentials != NULL; i++) {
        if (!w->is_in[i]) continue;
        number++;
        if (!has_credentials(inventory, i)) continue;
        put(&hosts, number - before);
        before = number;
        count++;
    }
    const char version = w->has_epochs ? VERSION : count > 0 ? VERSION_CREDENTIALS : VERSION_PLAIN;
    if (version > VERSION_PLAIN) {
        unsigned char tail[TAIL];
        put(w->out, count);
        buf_add(w->out, hosts.data, hosts.len);
        put_number_at(tail, began);
        buf_add(w->out, tail, sizeof tail);
    }
    buf_deinit(&hosts);
    return version;
}

static void naming_init(struct naming *naming, const struct names *names) {
    *naming = (struct naming){.names = names, .numbers = mem_array(names->count, sizeof(uint32_t))};
}

void job_image_write(struct buf *out, const struct inventory *inventory,
                     const struct selection *selection, const struct grouping *grouping,
                     uint64_t policy) {
    const size_t start = out->len;
    unsigned char head[HEAD] = {0};
    struct writer *w = mem_zalloc(sizeof *w);
    w->out = out;
    w->inventory = inventory;
    w->selection = selection;
    w->grouping = grouping;
    w->numbers = mem_array(inventory->count, sizeof *w->numbers);
    w->is_in = mem_array(inventory->count, sizeof *w->is_in);
    naming_init(&w->platforms, &inventory->platforms);
    naming_init(&w->sites, &inventory->sites);
    naming_init(&w->dev_types, &inventory->dev_types);
    memcpy(head, magic, sizeof magic - 1);
    put_number_at(head + POLICY_AT, policy);
    buf_add(out, head, sizeof head);
    put_hosts(w);
    put_constraints(w);
    put_cohorts(w);
    const char version = put_credentials(w, start);
    out->data[start + SUM_AT - 1] = version;
    job_image_seal(out->data + start, out->len - start);
    free(w->platforms.numbers);
    free(w->sites.numbers);
    free(w->dev_types.numbers);
    free(w->numbers);
    free(w->is_in);
    free(w);
}

// --- reading

struct reader {
    const unsigned char *at, *end;
    unsigned char version;
    struct job_image image;
    bool *selected; // by host
    size_t platforms_cap, sites_cap, dev_types_cap, others_cap, cohorts_cap, needs_cap;
    size_t others_count, needs_count;
    const char **shared;
    size_t shared_count, shared_cap;
    bool is_wrong; // and why is said in err; nothing is read from here on
    struct error *err;
};

static void wrong(struct reader *r, const char *why) {
    if (!r->is_wrong) error_set(r->err, "%s", why);
    r->is_wrong = true;
    r->at = r->end;
}

// 0 where it is wrong.
static uint64_t get(struct reader *r, uint64_t max) {
    uint64_t number = 0;
    for (unsigned shift = 0; shift < 64 && r->at < r->end; shift += 7) {
        const unsigned char byte = *r->at++;
        number |= (uint64_t)(byte & 0x7f) << shift;
        if (byte >= 0x80) continue;
        if (number <= max) return number;
        wrong(r, "a number is too large");
        return 0;
    }
    wrong(r, r->at == r->end ? "it ends too early" : "a number is too large");
    return 0;
}

// A number of things that take so many bytes each at least: there is no room for more of them.
static uint32_t get_count(struct reader *r, size_t size_min, uint32_t max) {
    const uint64_t count = get(r, max);
    if (count <= (size_t)(r->end - r->at) / size_min) return (uint32_t)count;
    wrong(r, "it ends too early");
    return 0;
}

static const char *get_text(struct reader *r) {
    const unsigned char *text = r->at, *nul = NULL;
    if (r->at < r->end) nul = memchr(r->at, '\0', (size_t)(r->end - r->at));
    if (nul == NULL) {
        wrong(r, "it ends too early");
        return "";
    }
    r->at = nul + 1;
    return (const char *)text;
}

static const char *get_checked(struct reader *r, const char *what) {
    const char *text = get_text(r);
    struct error err;
    if (!r->is_wrong && inventory_check_name(text, what, &err) != 0) wrong(r, err.text);
    return text;
}

static uint16_t get_name(struct reader *r, struct names *names, size_t *cap, const char *what) {
    const uint64_t code = get(r, 1 + names->count);
    if (code == 0) return INVENTORY_NO_NAME;
    if (code > 1) return (uint16_t)(code - 2);
    const char *name = get_checked(r, what);
    if (r->is_wrong) return INVENTORY_NO_NAME;
    if (names->count == INVENTORY_NO_NAME) {
        wrong(r, "it has too many names");
        return INVENTORY_NO_NAME;
    }
    names->list = mem_grow(names->list, cap, names->count + 1, sizeof *names->list);
    names->list[names->count] = texts_keep(&r->image.inventory->texts, name);
    return (uint16_t)names->count++;
}

static const char *get_shared(struct reader *r, const char *what) {
    const uint64_t code = get(r, r->shared_count);
    if (r->is_wrong) return "";
    if (code > 0) return r->shared[code - 1];
    const char *text = r->at < r->end && *r->at == '\0' ? get_text(r) : get_checked(r, what);
    if (r->is_wrong) return "";
    text = texts_keep(&r->image.inventory->texts, text);
    r->shared = mem_grow(r->shared, &r->shared_cap, r->shared_count + 1, sizeof *r->shared);
    r->shared[r->shared_count++] = text;
    return text;
}

// What others rely on: a device that we speak to has a type, a site and an address.
static void check_host(struct reader *r, const struct host *host) {
    if (host->address[0] == '\0') wrong(r, "a host has no address");
    if (host->platform > 0) return;
    if (host->site == INVENTORY_NO_NAME) wrong(r, "a host has no site");
    if (host->dev_type == INVENTORY_NO_NAME) wrong(r, "a host has no device type");
}

static void get_host(struct reader *r) {
    struct inventory *inventory = r->image.inventory;
    struct host host = {.name = get_checked(r, "a host's name")};
    const uint16_t platform = get_name(r, &inventory->platforms, &r->platforms_cap, "a platform");
    host.site = get_name(r, &inventory->sites, &r->sites_cap, "a site's name");
    host.dev_type = get_name(r, &inventory->dev_types, &r->dev_types_cap, "a device type");
    host.rack = get_shared(r, "a rack");
    host.address = get_shared(r, "an address");
    const uint64_t port =
        get(r, (UINT64_C(2) << (r->version < VERSION ? TLS_BIT : EPOCHS_BIT)) - 1);
    if (platform == INVENTORY_NO_NAME) wrong(r, "a host has no platform");
    if (platform >= INVENTORY_PLATFORMS_MAX) wrong(r, "it has too many names");
    host.platform = platform & 0x3fffU;
    if (!r->is_wrong) check_host(r, &host);
    if (r->is_wrong) return;
    host.name = texts_keep(&inventory->texts, host.name);
    host.port = (uint16_t)(port >> 1);
    host.tls = (port >> TLS_BIT & 1) != 0;
    host.epochs = port >> EPOCHS_BIT != 0;
    const uint32_t number = (uint32_t)inventory->count++;
    inventory->hosts[number] = host;
    r->selected[number] = (port & 1) != 0;
    if (r->selected[number]) r->image.selection.hosts[r->image.selection.count++] = number;
}

static void get_hosts(struct reader *r) {
    struct inventory *inventory = r->image.inventory;
    const uint32_t count = get_count(r, HOST_MIN, INVENTORY_HOSTS_MAX);
    struct selection *selection = &r->image.selection;
    inventory->platforms.list =
        mem_grow(NULL, &r->platforms_cap, 1, sizeof *inventory->platforms.list);
    inventory->platforms.list[inventory->platforms.count++] =
        texts_keep(&inventory->texts, "acmeos");
    inventory->hosts = mem_array(count, sizeof *inventory->hosts);
    selection->hosts = mem_array(count, sizeof *selection->hosts);
    r->selected = mem_array(count, sizeof *r->selected);
    for (uint32_t i = 0; i < count && !r->is_wrong; i++)
        get_host(r);
    selection->hosts = mem_resize(selection->hosts, selection->count, sizeof *selection->hosts);
}

// Keys and names come as one, and stay one.
static void get_texts(struct reader *r) {
    struct grouping *g = &r->image.grouping;
    const uint32_t len = get_count(r, 1, UINT32_MAX);
    if (r->is_wrong) return;
    g->texts = mem_alloc(len);
    memcpy(g->texts, r->at, len);
    struct reader texts = {.at = (const unsigned char *)g->texts, .err = r->err};
    texts.end = texts.at + len;
    for (size_t i = 0; i < g->count; i++) {
        g->constraints[i].key = get_text(&texts);
        g->constraints[i].name = get_text(&texts);
    }
    if (texts.is_wrong || texts.at < texts.end) wrong(r, "its groups have other texts than names");
    r->at += r->is_wrong ? 0 : len;
}

static void get_others(struct reader *r, struct constraint *constraint) {
    struct grouping *g = &r->image.grouping;
    constraint->others = (uint32_t)r->others_count;
    constraint->others_count = get_count(r, 1, INVENTORY_HOSTS_MAX);
    g->others = mem_grow(g->others, &r->others_cap, r->others_count + constraint->others_count,
                         sizeof *g->others);
    for (uint32_t i = 0; i < constraint->others_count && !r->is_wrong; i++) {
        const uint64_t host = get(r, r->image.inventory->count);
        if (host == r->image.inventory->count || r->selected[host])
            wrong(r, "a group has another member that is none");
        else
            g->others[r->others_count++] = (uint32_t)host;
    }
}

static void get_constraint(struct reader *r, struct constraint *constraint) {
    constraint->limit = (uint32_t)get(r, UINT32_MAX);
    const uint64_t members = get(r, (uint64_t)INVENTORY_HOSTS_MAX << 1 | 1);
    constraint->members = (uint32_t)(members >> 1);
    constraint->redundancy = (members & 1) != 0;
    constraint->weight = 1;
    if (constraint->limit == 0) wrong(r, "a group has the limit 0");
    get_others(r, constraint);
}

static void get_constraints(struct reader *r) {
    struct grouping *g = &r->image.grouping;
    const uint32_t count = get_count(r, CONSTRAINT_MIN, GROUP_CONSTRAINTS_MAX);
    g->constraints = mem_array(count, sizeof *g->constraints);
    g->count = count;
    get_texts(r);
    for (uint32_t i = 0; i < count && !r->is_wrong; i++)
        get_constraint(r, &g->constraints[i]);
    const bool all = r->image.selection.count == r->image.inventory->count;
    g->others = all ? g->others : mem_resize(g->others, r->others_count, sizeof *g->others);
}

// Redundancy groups first, then by number, none twice: as grouping_build() sorts them.
static bool is_after(const struct grouping *g, uint32_t need, uint32_t before) {
    const uint32_t a = need_constraint(before), b = need_constraint(need);
    if (g->constraints[a].redundancy != g->constraints[b].redundancy)
        return g->constraints[a].redundancy;
    return b > a;
}

static uint32_t get_need(struct reader *r) {
    const struct grouping *g = &r->image.grouping;
    const uint64_t code = get(r, (uint64_t)g->count << 1);
    if (code >> 1 < g->count) return (uint32_t)(code >> 1) | ((code & 1) != 0 ? NEED_FIRST : 0);
    wrong(r, "a host is in a group that is none");
    return 0;
}

static void get_needs(struct reader *r, struct cohort *cohort) {
    struct grouping *g = &r->image.grouping;
    cohort->needs_count = get_count(r, 1, GROUP_CONSTRAINTS_MAX);
    if (cohort->needs_count == 0) wrong(r, "a host is in no group");
    uint32_t before = 0;
    for (uint32_t i = 0; i < cohort->needs_count && !r->is_wrong; i++, before = cohort->needs) {
        cohort->needs = get_need(r);
        if (r->is_wrong) return;
        if (i == 0 && !g->constraints[need_constraint(cohort->needs)].redundancy)
            wrong(r, "a host is in no redundancy group");
        if (i > 0 && !is_after(g, cohort->needs, before))
            wrong(r, "the groups of a host are in disorder");
        if (cohort->needs_count == 1) return;
        g->needs_of = mem_grow(g->needs_of, &r->needs_cap, r->needs_count + 1, sizeof *g->needs_of);
        g->needs_of[r->needs_count++] = cohort->needs;
    }
    cohort->needs = (uint32_t)r->needs_count - cohort->needs_count;
}

static uint32_t get_cohort(struct reader *r) {
    struct grouping *g = &r->image.grouping;
    const uint64_t back = get(r, g->cohorts_count);
    if (back > 0 || r->is_wrong) return (uint32_t)(g->cohorts_count - back);
    g->cohorts = mem_grow(g->cohorts, &r->cohorts_cap, g->cohorts_count + 1, sizeof *g->cohorts);
    g->cohorts[g->cohorts_count] = (struct cohort){0};
    get_needs(r, &g->cohorts[g->cohorts_count]);
    return (uint32_t)g->cohorts_count++;
}

// A group of nobody would be waited for, and one of more hosts than it has members would be counted
// wrong.
static void check_members(struct reader *r) {
    const struct grouping *g = &r->image.grouping;
    uint64_t *members = mem_array(g->count, sizeof *members);
    for (size_t c = 0; c < g->cohorts_count; c++)
        for (uint32_t i = 0; i < g->cohorts[c].needs_count; i++)
            members[need_constraint(cohort_needs(g, &g->cohorts[c])[i])] += g->cohorts[c].count;
    for (size_t i = 0; i < g->count; i++) {
        const struct constraint *constraint = &g->constraints[i];
        if (members[i] == 0) wrong(r, "a group has no host");
        if (members[i] + constraint->others_count > constraint->members)
            wrong(r, "a group has more hosts than members");
    }
    free(members);
}

static void get_cohorts(struct reader *r) {
    struct grouping *g = &r->image.grouping;
    const size_t count = r->image.selection.count;
    uint32_t *cohort = mem_array(count, sizeof *cohort);
    for (size_t i = 0; i < count && !r->is_wrong; i++)
        cohort[i] = get_cohort(r);
    if (!r->is_wrong) grouping_build_of(g, &r->image.selection, cohort);
    if (!r->is_wrong) check_members(r);
    free(cohort);
}

static void get_credentials(struct reader *r) {
    struct inventory *inventory = r->image.inventory;
    const uint32_t count = get_count(r, 1, (uint32_t)inventory->count);
    uint64_t number = 0;
    if (count == 0 && r->version < VERSION) wrong(r, "it has credentials of no host");
    for (uint32_t i = 0; i < count && !r->is_wrong; i++) {
        const uint64_t step = get(r, inventory->count - number);
        number += step;
        if (step == 0)
            wrong(r, "it has credentials of a host that is none");
        else
            inventory_withhold_credentials(inventory, number - 1);
    }
}

static int check_head(const unsigned char *bytes, size_t len, struct error *err) {
    if (len < HEAD) return error_set(err, "it ends too early");
    if (memcmp(bytes, magic, sizeof magic - 1) != 0) return error_set(err, "it begins otherwise");
    if (bytes[SUM_AT - 1] > VERSION)
        return error_set(err, "a newer orchestrator has written it (version %d; this one knows %d)",
                         bytes[SUM_AT - 1], VERSION);
    if (bytes[SUM_AT - 1] == 0) return error_set(err, "it has no version");
    if (number_at(bytes + SUM_AT) != checksum(bytes + POLICY_AT, len - POLICY_AT))
        return error_set(err, "its checksum is wrong");
    return 0;
}

static int read_image(const unsigned char *bytes, size_t len, struct job_image *image,
                      struct error *err) {
    const bool has_tail = bytes[SUM_AT - 1] > VERSION_PLAIN && len >= HEAD + TAIL;
    const unsigned char *end = bytes + len - (has_tail ? TAIL : 0);
    struct reader r = {.at = bytes + HEAD, .end = end, .version = bytes[SUM_AT - 1], .err = err};
    r.image.inventory = mem_zalloc(sizeof *r.image.inventory);
    r.image.inventory->refs = 1;
    r.image.policy = number_at(bytes + POLICY_AT);
    get_hosts(&r);
    if (!r.is_wrong) get_constraints(&r);
    if (!r.is_wrong) get_cohorts(&r);
    if (!r.is_wrong && has_tail && number_at(end) != (uint64_t)(r.at - bytes))
        wrong(&r, "it has credentials where none begin");
    if (!r.is_wrong && has_tail) get_credentials(&r);
    if (!r.is_wrong && r.at < r.end) wrong(&r, "more follows its end");
    free(r.selected);
    free(r.shared);
    if (r.is_wrong) {
        job_image_deinit(&r.image);
        return ERROR_INPUT;
    }
    *image = r.image;
    return 0;
}

int job_image_read(const void *bytes, size_t len, struct job_image *image, struct error *err) {
    int rc = check_head(bytes, len, err);
    if (rc == 0) rc = read_image(bytes, len, image, err);
    if (rc != 0) error_from(err, "the image of its hosts and groups");
    return rc;
}

// Without what a job is the same without.
static size_t end_of_job(const unsigned char *image, size_t len) {
    if (len < HEAD + TAIL || image[SUM_AT - 1] <= VERSION_PLAIN) return len;
    const uint64_t end = number_at(image + len - TAIL);
    return end < HEAD || end > len - TAIL ? len : (size_t)end;
}

bool job_image_is_same(const void *a, size_t a_len, const void *b, size_t b_len) {
    const unsigned char *one = a, *other = b;
    const size_t end = end_of_job(one, a_len);
    return end >= HEAD && end == end_of_job(other, b_len) &&
           memcmp(one + POLICY_AT, other + POLICY_AT, end - POLICY_AT) == 0;
}

void job_image_deinit(struct job_image *image) {
    grouping_deinit(&image->grouping);
    selection_deinit(&image->selection);
    inventory_unref(image->inventory);
    *image = (struct job_image){0};
}
