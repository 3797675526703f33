// What a program writes to its stdout once it is ready. Nobody may leave that unread: a program
// that logs there would stand still when the pipe is full.
#pragma once

#include <pthread.h>

// From now on a thread appends what comes out of the pipe to the file, until its end. The
// descriptor stays the caller's.
pthread_t drain_start(int pipe, const char *path);
// Of a program that has ended: until the file has all, or for a moment where somebody else holds
// the pipe.
void drain_end(pthread_t drain);
