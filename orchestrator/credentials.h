// What each device is logged in to with. Pure. A user name and a password come each from the first
// of these that says it:
//
//   the inventory, of the host itself; the file of --credentials (spec/credentials.schema.json), by
//   the host's name, by globs in the file's order, by its redundancy groups in that order, by its
//   site; the service's --username and --password-file
//
// The last is not known here: NULL stands for it.
#pragma once

#include "common/inventory.h"
#include "common/policy.h"
#include "orchestrator/group.h"

enum {
    CREDENTIALS_GLOBS_MAX = 1000, // each is tried on every host that is logged in to
    CREDENTIALS_BYTES_MAX = 64 << 20,
};

struct credentials_rule {
    const char *name;
    struct credentials credentials;
};

struct credentials_rules { // in the file's order
    struct credentials_rule *list;
    size_t count;
    struct strmap by_name; // of globs none
};

struct credentials_file { // zeroed it says nothing
    struct credentials_rules hosts, globs, groups, sites;
    struct texts texts;
};

// file is written on success only, and then the caller's to deinit. name is the file's in errors,
// which never quote a value.
int credentials_parse(struct credentials_file *file, const char *name, const char *text, size_t len,
                      struct error *err);
// Refused where others may read it: secret.h. Negative: it cannot be read.
int credentials_load(struct credentials_file *file, const char *path, struct error *err);
void credentials_deinit(struct credentials_file *file);

// Strings live as long as the file and the inventory. groups: names of the host's.
struct credentials credentials_choose(const struct credentials_file *file, struct credentials own,
                                      const char *host, const struct names *groups,
                                      const char *site);

// Of a host of an inventory, whose groups the policy tells. file: NULL: there is none.
struct credentials credentials_of(const struct credentials_file *file, const struct policy *policy,
                                  const struct inventory *inventory, size_t host);
// Of a host of a job that is known from its image alone, where attributes are not.
struct credentials credentials_of_image(const struct credentials_file *file,
                                        const struct inventory *inventory, size_t host,
                                        const struct grouping *grouping,
                                        const struct cohort *cohort);
