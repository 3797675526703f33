// The descriptors that one poll() waits for, in the order in which they were added.
#pragma once

#include "common/mem.h"

#include <poll.h>
#include <stddef.h>

struct pollset {
    struct pollfd *fds; // to free
    size_t count, cap;
};

static inline void pollset_add(struct pollset *p, int fd) {
    p->fds = mem_grow(p->fds, &p->cap, p->count + 1, sizeof *p->fds);
    p->fds[p->count++] = (struct pollfd){.fd = fd, .events = POLLIN};
}
