/* LD_PRELOAD for one process: its wall clock is off by as many seconds as the file named by PAWL_TEST_CLOCK_STEP says; none when there is no such file. Clocks that only count stay right. Any thread. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static long step(void) {
    const char* name = getenv("PAWL_TEST_CLOCK_STEP");
    char text[32];
    if (name == NULL) return 0;
    const int file = open(name, O_RDONLY | O_CLOEXEC);
    if (file < 0) return 0;
    const ssize_t length = read(file, text, sizeof text - 1);
    close(file);
    if (length <= 0) return 0;
    text[length] = '\0';
    return atol(text);
}

typedef int (*clock_function)(clockid_t, struct timespec*);

int clock_gettime(clockid_t which, struct timespec* out) {
    static clock_function real = NULL;
    if (real == NULL) real = (clock_function)dlsym(RTLD_NEXT, "clock_gettime");
    const int result = real(which, out);
    if (result == 0 && which == CLOCK_REALTIME) out->tv_sec += step();
    return result;
}

int gettimeofday(struct timeval* restrict out, void* restrict zone) {
    struct timespec now;
    (void)zone;
    if (clock_gettime(CLOCK_REALTIME, &now) != 0) return -1;
    out->tv_sec = now.tv_sec;
    out->tv_usec = now.tv_nsec / 1000;
    return 0;
}
