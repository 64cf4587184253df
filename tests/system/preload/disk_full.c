/* LD_PRELOAD for one process: while the file named by PAWL_TEST_DISK_FULL exists, the disk is full for databases. Any thread. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

static int is_full_for(int file) {
    const char* mark = getenv("PAWL_TEST_DISK_FULL");
    char link[64], path[4096];
    if (mark == NULL || access(mark, F_OK) != 0) return 0;
    snprintf(link, sizeof link, "/proc/self/fd/%d", file);
    const ssize_t length = readlink(link, path, sizeof path - 1);
    if (length <= 0) return 0;
    path[length] = '\0';
    return strstr(path, ".sqlite") != NULL && strstr(path, "-shm") == NULL;
}

typedef ssize_t (*pwrite_function)(int, const void*, size_t, off64_t);

ssize_t pwrite64(int file, const void* bytes, size_t count, off64_t at) {
    static pwrite_function real = NULL;
    if (real == NULL) real = (pwrite_function)dlsym(RTLD_NEXT, "pwrite64");
    if (is_full_for(file)) {
        errno = ENOSPC;
        return -1;
    }
    return real(file, bytes, count, at);
}

ssize_t pwrite(int file, const void* bytes, size_t count, off_t at) { return pwrite64(file, bytes, count, at); }

ssize_t write(int file, const void* bytes, size_t count) {
    static ssize_t (*real)(int, const void*, size_t) = NULL;
    if (real == NULL) real = (ssize_t (*)(int, const void*, size_t))dlsym(RTLD_NEXT, "write");
    if (is_full_for(file)) {
        errno = ENOSPC;
        return -1;
    }
    return real(file, bytes, count);
}
