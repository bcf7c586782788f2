/* How the programs of this folder look at what standin.h promises. */
#include "standin.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LIMIT 30000

static int checks = 0;
static char text[4096];
static standin_int64 needed;

static void fail(const char *file, int line, const char *what)
{
    char message[1000] = "";
    standin_error_message(0, message, sizeof message, NULL);
    fprintf(stderr, "%s:%d: %s\n  the process' last error: %s\n", file, line, what, message);
    exit(1);
}

#define CHECK(holds) (checks++, (holds) ? (void)0 : fail(__FILE__, __LINE__, #holds))

/* A code, and if it is another one, what the handle says of it. */
static void check_code(const char *file, int line, standin_int64 handle, const char *what, standin_int32 got,
                       standin_int32 wanted)
{
    char message[1000] = "";
    checks++;
    if (got == wanted)
        return;
    standin_error_message(handle, message, sizeof message, NULL);
    fprintf(stderr, "%s:%d: %s is %d and not %d: %s\n", file, line, what, (int)got, (int)wanted, message);
    exit(1);
}

#define CODE(handle, call, wanted) check_code(__FILE__, __LINE__, handle, #call, call, wanted)
#define DONE(handle, call) CODE(handle, call, STANDIN_OK)

static int is(const char *wanted)
{
    return strcmp(text, wanted) == 0 && needed == (standin_int64)strlen(wanted);
}

static standin_int64 new_call(standin_int64 client, const char *method)
{
    standin_int64 call;
    DONE(client, standin_call_new(client, method, &call));
    CHECK(call > 0);
    return call;
}
