/*
 * The library is a guest in somebody's process: it survives being unloaded and forked, and leaves everything as it was.
 *
 *     guest LIBRARY ENDPOINT SCRATCH_FILE
 */
#include "standin.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#ifdef _WIN32
#include <windows.h>
#else
#include <dlfcn.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>
extern char **environ;
#endif

#define LIMIT 30000

typedef standin_int32(STANDIN_API *open_function)(const char *, const char *, standin_int64, standin_int64 *);
typedef standin_int32(STANDIN_API *new_function)(standin_int64, const char *, standin_int64 *);
typedef standin_int32(STANDIN_API *set_function)(standin_int64, const char *, const char *);
typedef standin_int32(STANDIN_API *get_function)(standin_int64, const char *, void *, standin_int64, standin_int64 *);
typedef standin_int32(STANDIN_API *timed_function)(standin_int64, standin_int64);
typedef standin_int32(STANDIN_API *plain_function)(standin_int64);

static open_function open_client;
static new_function new_call;
static set_function set_text;
static get_function get_text;
static timed_function send_call, wait_call;
static plain_function start_call, close_handle;
/* Where this program's own words go while the library's would be seen. */
static FILE *words;

#define CHECK(holds) ((holds) ? (void)0 : fail(__LINE__, #holds))

static void fail(int line, const char *what)
{
    fprintf(words, "guest.c:%d: %s\n", line, what);
    fflush(words);
    _Exit(1);
}

#ifdef _WIN32
static void *loaded;
static void load(const char *library)
{
    loaded = LoadLibraryA(library);
    CHECK(loaded != NULL);
}
static void unload(void) { FreeLibrary((HMODULE)loaded); }
static void *symbol(const char *name)
{
    void *found = (void *)GetProcAddress((HMODULE)loaded, name);
    CHECK(found != NULL);
    return found;
}
#else
static void *loaded;
static void load(const char *library)
{
    loaded = dlopen(library, RTLD_NOW | RTLD_LOCAL);
    CHECK(loaded != NULL);
}
static void unload(void) { dlclose(loaded); }
static void *symbol(const char *name)
{
    void *found = dlsym(loaded, name);
    CHECK(found != NULL);
    return found;
}
#endif

static void find_functions(void)
{
    open_client = (open_function)symbol("standin_open");
    new_call = (new_function)symbol("standin_call_new");
    set_text = (set_function)symbol("standin_set_text");
    get_text = (get_function)symbol("standin_get_text");
    send_call = (timed_function)symbol("standin_send");
    wait_call = (timed_function)symbol("standin_wait");
    start_call = (plain_function)symbol("standin_start");
    close_handle = (plain_function)symbol("standin_close");
}

static void echo(standin_int64 client, const char *what)
{
    char text[100];
    standin_int64 call, needed;

    CHECK(new_call(client, "sdk.echo", &call) == STANDIN_OK);
    CHECK(set_text(call, "text", what) == STANDIN_OK);
    CHECK(send_call(call, LIMIT) == STANDIN_OK);
    CHECK(get_text(call, "", text, sizeof text, &needed) == STANDIN_OK);
    CHECK(strcmp(text, what) == 0);
    CHECK(close_handle(call) == STANDIN_OK);
}

static void it_survives_being_unloaded(const char *library, standin_int64 client)
{
    int i;

    for (i = 0; i < 5; i++)
        unload();
    echo(client, "unloaded");
    load(library);
    find_functions();
    echo(client, "loaded again");
    unload();
    echo(client, "unloaded again");
}

#ifndef _WIN32
static void a_child_opens_its_own(const char *endpoint, standin_int64 client)
{
    standin_int64 slow, other;
    int status;
    pid_t child;

    CHECK(new_call(client, "sdk.wait", &slow) == STANDIN_OK);
    CHECK(start_call(slow) == STANDIN_OK);
    child = fork();
    CHECK(child >= 0);
    if (child == 0)
    {
        /* A client that the child had has nothing in common with the parent's but its number. */
        CHECK(close_handle(slow) == STANDIN_BAD_HANDLE);
        CHECK(close_handle(client) == STANDIN_BAD_HANDLE);
        CHECK(new_call(client, "sdk.echo", &other) == STANDIN_BAD_HANDLE);
        CHECK(open_client(endpoint, "", LIMIT, &other) == STANDIN_OK);
        CHECK(other != client && other != slow);
        echo(other, "from the child");
        CHECK(close_handle(other) == STANDIN_OK);
        _Exit(0);
    }
    CHECK(waitpid(child, &status, 0) == child);
    CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    CHECK(wait_call(slow, 50) == STANDIN_PENDING);
    echo(client, "from the parent");
    CHECK(close_handle(slow) == STANDIN_OK);
}

struct state
{
    void (*handlers[32])(int);
    int flags[32];
    int is_blocked[32];
    char **environment;
    char *variables[1000];
};

static void look(struct state *state)
{
    struct sigaction action;
    sigset_t mask;
    int i;

    memset(state, 0, sizeof *state);
    sigprocmask(SIG_BLOCK, NULL, &mask);
    for (i = 1; i < 32; i++)
    {
        sigaction(i, NULL, &action);
        state->handlers[i] = action.sa_handler;
        state->flags[i] = action.sa_flags;
        state->is_blocked[i] = sigismember(&mask, i);
    }
    state->environment = environ;
    for (i = 0; i < 999 && environ[i] != NULL; i++)
        state->variables[i] = environ[i];
}

static int threads(void)
{
    char line[200];
    int count = -1;
    FILE *status = fopen("/proc/self/status", "r");

    CHECK(status != NULL);
    while (fgets(line, sizeof line, status) != NULL)
        sscanf(line, "Threads: %d", &count);
    fclose(status);
    return count;
}
#endif

int main(int count, char **arguments)
{
    standin_int64 client;
#ifndef _WIN32
    static struct state before, after;
    int scratch;

    words = fdopen(dup(2), "w");
    if (count != 4)
        return 2;
    scratch = open(arguments[3], O_RDWR | O_CREAT | O_TRUNC, 0600);
    CHECK(scratch >= 0 && dup2(scratch, 1) == 1 && dup2(scratch, 2) == 2);
    look(&before);
#else
    words = stderr;
    if (count != 4)
        return 2;
#endif
    load(arguments[1]);
    find_functions();
    CHECK(open_client(arguments[2], "", LIMIT, &client) == STANDIN_OK);
    echo(client, "loaded");
    it_survives_being_unloaded(arguments[1], client);
#ifndef _WIN32
    a_child_opens_its_own(arguments[2], client);
    CHECK(threads() == 1);
    look(&after);
    CHECK(memcmp(&before, &after, sizeof before) == 0);
    CHECK(lseek(scratch, 0, SEEK_END) == 0);
#endif
    CHECK(close_handle(client) == STANDIN_OK);
    fprintf(words, "guest.c: the process is as it was\n");
    return 0;
}
