/* Makes a program wait between reading the header of a DuckDB file and locking it, for as long as a test likes.

   Preloaded, it stands before the first lock of $LATE_LOCK: it opens the pipe $LATE_LOCK.reached, if there is one, for writing,
   removes it, and goes on when $LATE_LOCK.go can be read. Both wait for the other side. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void stand(int file, int command) {
  const char *late = getenv("LATE_LOCK");
  char link[64], path[4096], reached[4200], go[4200];
  if (!late || (command != F_SETLK && command != F_OFD_SETLK)) return;
  snprintf(link, sizeof link, "/proc/self/fd/%d", file);
  ssize_t length = readlink(link, path, sizeof path - 1);
  if (length < 0) return;
  path[length] = 0;
  if (strcmp(path, late)) return;
  snprintf(reached, sizeof reached, "%s.reached", late);
  snprintf(go, sizeof go, "%s.go", late);
  if (access(reached, F_OK)) return;
  close(open(reached, O_WRONLY));
  unlink(reached);
  close(open(go, O_RDONLY));
}

#define BEFORE_LOCKS(name)                                    \
  int name(int file, int command, ...) {                      \
    va_list given;                                            \
    va_start(given, command);                                 \
    void *argument = va_arg(given, void *);                   \
    va_end(given);                                            \
    stand(file, command);                                     \
    int (*real)(int, int, ...) = dlsym(RTLD_NEXT, #name);     \
    return real(file, command, argument);                     \
  }

BEFORE_LOCKS(fcntl)
BEFORE_LOCKS(fcntl64)
