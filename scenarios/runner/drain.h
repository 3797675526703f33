// What a program writes to its stdout once it is ready. Nobody may leave that unread: a program
// that logs there would stand still when the pipe is full.
#pragma once

// From now on a thread appends what comes out of the pipe to the file, until its end. The
// descriptor stays the caller's.
void drain_start(int pipe, const char *path);
