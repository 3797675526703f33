// The lock is flock()'s, on a descriptor of our own: SQLite's are POSIX locks, which two handles in
// one process share, and which are there during a transaction only.
#include "orchestrator/store_file.h"

#include "common/count.h"
#include "common/file.h"
#include "common/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#define ANOTHER "another --state FILE"

const char *store_file_remote(long type) {
    static const struct {
        unsigned long type;
        const char *name;
    } remote[] = {
        {0x6969, "NFS"},      {0xff534d42, "SMB"}, {0xfe534d42, "SMB"}, {0x517b, "SMB"},
        {0x65735546, "FUSE"}, {0x5346414f, "AFS"}, {0x6b414653, "AFS"}, {0x00c36400, "Ceph"},
        {0x73757245, "Coda"}, {0x01021997, "9P"},
    };
    for (size_t i = 0; i < COUNT(remote); i++)
        if ((uint32_t)type == remote[i].type) return remote[i].name;
    return NULL;
}

// SQLite's numbers are big-endian.
static uint32_t number_at(const unsigned char *header, size_t at) {
    uint32_t n = 0;
    for (size_t i = 0; i < 4; i++)
        n = n << 8 | header[at + i];
    return n;
}

int store_file_newer(const char *where, size_t found, size_t known, struct error *err) {
    return error_set(err,
                     "%.200s was written by a newer orchestrator (schema %zu; this one knows %zu): "
                     "use that one, or " ANOTHER,
                     where, found, known);
}

int store_file_judge(const unsigned char *header, size_t len, const char *where,
                     uint32_t application, uint32_t version, struct error *err) {
    static const char magic[] = "SQLite format 3"; // with its NUL
    enum { USER_VERSION = 60, APPLICATION = 68 };
    if (len == 0) return 0;
    if (len < STORE_HEADER || memcmp(header, magic, sizeof magic) != 0)
        return error_set(err, "%.200s is no store of an orchestrator: use " ANOTHER, where);
    if (number_at(header, APPLICATION) != application)
        return error_set(err, "%.200s is a database of another program: use " ANOTHER, where);
    const uint32_t found = number_at(header, USER_VERSION);
    return found > version ? store_file_newer(where, found, version, err) : 0;
}

// --- what SQLite puts beside it

enum { JOURNAL, WAL, SHM };

static const char *const beside[STORE_FILES_BESIDE] = {
    [JOURNAL] = "-journal", [WAL] = "-wal", [SHM] = "-shm"};

static char *name_beside(const struct store_file *file, size_t i) {
    struct buf name = {0};
    buf_addf(&name, "%s%s", file->path, beside[i]);
    return buf_take(&name);
}

// --- the place

// Before a file is made there: of one that is not there yet its folder's.
static int check_file_system(const char *path, const char *where, struct error *err) {
    struct statfs fs;
    char *folder = file_beside(path, ".");
    const bool is_known = statfs(path, &fs) == 0 || statfs(folder, &fs) == 0;
    free(folder);
    const char *remote = is_known ? store_file_remote((long)fs.f_type) : NULL;
    if (remote == NULL) return 0;
    return error_set(err,
                     "%.200s would lie on %s, where two processes may both think that they have "
                     "it: name a file on a local disk with --state FILE",
                     where, remote);
}

const char *store_file_advice(int code) {
    switch (code) {
    case ENOSPC:
    case EDQUOT:
        return "make room on its disk";
    case EROFS:
        return "make its file system writable";
    case EIO:
        return "look at the kernel's messages (dmesg)";
    default:
        return NULL;
    }
}

static int fail(int code, const char *where, const char *what, struct error *err) {
    const char *advice = store_file_advice(code);
    return error_set(err, "%.200s cannot be %s: %s: %s%suse " ANOTHER, where, what, strerror(code),
                     advice == NULL ? "" : advice, advice == NULL ? "" : ", or ");
}

static int open_or_make(struct store_file *file, const char *where, struct error *err) {
    enum { FLAGS = O_RDWR | O_CLOEXEC | O_NONBLOCK | O_NOCTTY };
    file->fd = open(file->path, FLAGS);
    if (file->fd < 0 && errno == ENOENT) {
        file->fd = open(file->path, FLAGS | O_CREAT | O_EXCL, 0640);
        file->is_made = file->fd >= 0;
    }
    if (file->fd < 0) return fail(errno, where, "opened for writing", err);
    struct stat stat;
    if (fstat(file->fd, &stat) == 0 && S_ISREG(stat.st_mode)) return 0;
    return error_set(err, "%.200s is no file: use " ANOTHER, where);
}

// Who has it may have found it empty as we had made it, so it is theirs then.
static int lock(struct store_file *file, const char *where, struct error *err) {
    if (flock(file->fd, LOCK_EX | LOCK_NB) == 0) return 0;
    file->is_made = false;
    if (errno == EWOULDBLOCK)
        return error_set(err, "%.200s is in use by another process: end that one, or use " ANOTHER,
                         where);
    return fail(errno, where, "locked", err);
}

static unsigned long long wal_inode(const struct store_file *file) {
    struct stat status;
    char *name = name_beside(file, WAL);
    const bool is_there = stat(name, &status) == 0;
    free(name);
    return is_there ? status.st_ino : 0;
}

int store_file_why_none_beside(const struct store_file *file) {
    char *name = name_beside(file, WAL);
    const int fd = open(name, O_RDWR | O_CREAT | O_CLOEXEC, 0640), code = fd < 0 ? errno : 0;
    if (fd >= 0) close(fd);
    free(name);
    return code;
}

void store_file_has_wal(struct store_file *file) {
    file->wal = wal_inode(file);
}

bool store_file_is_there(const struct store_file *file) {
    struct stat opened, named;
    return fstat(file->fd, &opened) == 0 && stat(file->path, &named) == 0 &&
           opened.st_dev == named.st_dev && opened.st_ino == named.st_ino &&
           (file->wal == 0 || file->wal == wal_inode(file));
}

long long store_file_size(const struct store_file *file) {
    struct stat stat;
    return fstat(file->fd, &stat) == 0 ? (long long)stat.st_size : 0;
}

static int judge(const struct store_file *file, const char *where, uint32_t application,
                 uint32_t version, struct error *err) {
    unsigned char header[STORE_HEADER];
    const ssize_t len = pread(file->fd, header, sizeof header, 0);
    if (len < 0) return fail(errno, where, "read", err);
    if (!store_file_is_there(file)) return fail(ENOENT, where, "locked", err); // removed meanwhile
    return store_file_judge(header, (size_t)len, where, application, version, err);
}

static void note_beside(struct store_file *file) {
    for (size_t i = 0; i < STORE_FILES_BESIDE; i++) {
        char *name = name_beside(file, i);
        file->has_beside[i] = access(name, F_OK) == 0;
        free(name);
    }
}

static void remove_beside(const struct store_file *file) {
    for (size_t i = 0; i < STORE_FILES_BESIDE; i++) {
        char *name = name_beside(file, i);
        if (!file->has_beside[i]) unlink(name);
        free(name);
    }
}

// --- life

int store_file_open(struct store_file *file, const char *where, uint32_t application,
                    uint32_t version, struct error *err) {
    *file = (struct store_file){.path = file_absolute(where), .fd = -1};
    int rc = check_file_system(file->path, where, err);
    if (rc == 0) rc = open_or_make(file, where, err);
    if (rc == 0) rc = lock(file, where, err);
    if (rc == 0) note_beside(file);
    file->is_ours = rc == 0;
    if (rc == 0) rc = judge(file, where, application, version, err);
    if (rc != 0) store_file_close(file, false);
    return rc;
}

void store_file_close(struct store_file *file, bool is_used) {
    if (file->is_ours && !is_used) remove_beside(file);
    if (file->is_made && !is_used) unlink(file->path);
    if (file->fd >= 0) close(file->fd);
    free(file->path);
    *file = (struct store_file){.fd = -1};
}
