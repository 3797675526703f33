// The modes of disk.so, each one byte in the file that DISK_MODE names.
#pragma once

enum disk_mode {
    DISK_OK = 'o',
    DISK_FULL = 'f',       // ENOSPC for what would take room: writes, growth, new files
    DISK_ERROR = 'e',      // EIO for each write and each flush
    DISK_UNREADABLE = 'u', // EIO for each read as well
    DISK_READ_ONLY = 'r',  // EROFS for each change
    DISK_SLOW = 's',       // each flush takes DISK_SLOW_MS (50) longer
};
