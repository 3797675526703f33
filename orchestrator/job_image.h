// The hosts and groups of a job as bytes, and back: what a store keeps of it, so that it can be
// taken up without the inventory and the policy that it was made of. Pure.
//
// The image has all hosts that the job is about: those selected, and the unselected members of
// their groups. It is deterministic: the same job of the same inventory and policy has the same
// bytes, whatever else is in the inventory, and so what has changed since is found by comparing
// two images (job_difference.h).
//
// Of credentials it has none, but which hosts had some of their own. That is no part of what makes
// two jobs the same.
#pragma once

#include "orchestrator/group.h"

struct job_image {
    struct inventory *inventory; // one reference; an excerpt, without attributes; credentials of
                                 // its hosts are withheld
    struct selection selection;  // places in it are those of the job that was written
    struct grouping grouping;    // of equal weights
    uint64_t policy;             // policy_hash.h, of the policy that the groups were made by
};

// Appends. The grouping is of the selection, which is of the inventory.
void job_image_write(struct buf *out, const struct inventory *inventory,
                     const struct selection *selection, const struct grouping *grouping,
                     uint64_t policy);

// Whatever the bytes are: an error says what is wrong with them, and image is not written. It takes
// no more memory than a small multiple of len. What is read is the caller's to deinit.
int job_image_read(const void *bytes, size_t len, struct job_image *image, struct error *err);
void job_image_deinit(struct job_image *image);

// Whether two images are of the same job: byte by byte, but for what is not part of it.
bool job_image_is_same(const void *a, size_t a_len, const void *b, size_t b_len);

// Puts right the checksum of bytes that were changed after they were written: for tests, which want
// to see what else is checked. Nothing where there is no whole head.
void job_image_seal(void *bytes, size_t len);
