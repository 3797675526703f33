// Whether two policies mean the same, though one was read weeks ago: a text of what a policy says,
// and a hash of it to keep. Pure.
#pragma once

#include "common/policy.h"

// One line a rule, in its order, which decides on numbers and names. Where nothing depends on the
// order (the terms of a condition, the values of a term) it is sorted, and what is left out stands
// as its default; so the text depends on the meaning alone, not on how or where it was written.
void policy_write_canonical(const struct policy *p, struct buf *out);

// Of that text. It is kept on disk with jobs: another text for the same meaning would hold them up.
uint64_t policy_hash(const struct policy *p);
