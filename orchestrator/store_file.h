// The file that a store is to lie in: whether it may be used at all, found out before SQLite sees
// it, so that a file of somebody else's is left as it is. One process at a time has it.
#pragma once

#include "common/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    STORE_HEADER = 100, // bytes that an SQLite database begins with
    STORE_FILES_BESIDE = 3,
};

struct store_file {
    char *path;                          // from / on
    int fd;                              // holds the lock; -1: it is not open
    bool is_made;                        // by store_file_open()
    bool is_ours;                        // it is locked
    bool has_beside[STORE_FILES_BESIDE]; // what SQLite puts there; before it was opened
    unsigned long long wal;              // its inode; 0: it is not to be looked for
};

// Makes the file if it is not there. version is the newest schema that is known. Errors are one
// line that names the file as it is given, and what to do.
int store_file_open(struct store_file *file, const char *where, uint32_t application,
                    uint32_t version, struct error *err);
// Gives up the lock. Whoever else has the file open in this process must have closed it before: the
// system drops a process's locks of a file when any descriptor of it is closed. Of one that is not
// used after all, what has been made since is removed.
void store_file_close(struct store_file *file, bool is_used);
// From now on its WAL is to be there as well, which was made: what is committed lies in it.
void store_file_has_wal(struct store_file *file);
// Why no file can be made beside it: an errno; 0: one can, and is there until this is closed.
int store_file_why_none_beside(const struct store_file *file);
// Nobody has removed it or put another in its place.
bool store_file_is_there(const struct store_file *file);
long long store_file_size(const struct store_file *file); // bytes

// Pure. Of what a file begins with; 0 bytes are a new one.
int store_file_judge(const unsigned char *header, size_t len, const char *where,
                     uint32_t application, uint32_t version, struct error *err);
int store_file_newer(const char *where, size_t found, size_t known, struct error *err);
// Pure. What to do where a file's disk gives this errno; NULL: nothing in particular.
const char *store_file_advice(int code);
// Pure. The file system of statfs()'s f_type where a lock may not hold and a write not be on disk;
// NULL: all is well.
const char *store_file_remote(long type);
