// Many small strings that live and die together, in large blocks: a million are a few hundred
// allocations, and one free. Zero-initialised it is empty and ready. What it gives out never moves.
#pragma once

#include "common/strmap.h"

struct texts {
    struct texts_block *blocks;
    struct strmap shared; // text -> the one copy
};

const char *texts_keep(struct texts *t, const char *text);
// Of equal texts one copy, kept by whichever comes first.
const char *texts_share(struct texts *t, const char *text);
void texts_forget_shared(struct texts *t); // frees what sharing takes; the texts stay
void texts_deinit(struct texts *t);
