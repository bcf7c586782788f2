/*
 * What standin_open says of a service that is not there, of one that takes nobody in, and of one that this user may not
 * open; each with a place of its own, made here. It needs no service. Whoever runs it as root is somebody else for it.
 *
 *     denied
 */
#include "standin.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#ifdef _WIN32
#include <windows.h>
/* which has to come first */
#include <sddl.h>
#else
#include <grp.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>
#endif

/* Longer than anybody waits for this program: what is denied is told at once. */
#define FOR_EVER 86400000
#define SHORT 50

static void fail(int line, const char *what)
{
    char message[1000] = "";
    standin_error_message(0, message, sizeof message, NULL);
    fprintf(stderr, "denied.c:%d: %s\n  the process' last error: %s\n", line, what, message);
    exit(1);
}

#define CHECK(holds) ((holds) ? (void)0 : fail(__LINE__, #holds))

/* How it is to open a client there: the code, and the same by the error functions, and in whatever is tried with it. */
static void opening_is(const char *endpoint, standin_int64 limit, standin_int32 code, const char *name)
{
    char text[1000];
    standin_int64 client = 0, call, needed;
    standin_int32 got = standin_open(endpoint, "UTF-8", limit, &client), number;

    if (got != code)
    {
        standin_error_message(client, text, sizeof text, NULL);
        fprintf(stderr, "denied.c: opening \"%s\" is %d and not %d: %s\n", endpoint, (int)got, (int)code, text);
        exit(1);
    }
    CHECK(client > 0);
    CHECK(standin_error_number(client, &number) == STANDIN_OK && number == code);
    CHECK(standin_error_code(client, text, sizeof text, &needed) == STANDIN_OK && strcmp(text, name) == 0);
    CHECK(standin_error_outcome(client, text, sizeof text, &needed) == STANDIN_OK && strcmp(text, "not_executed") == 0);
    CHECK(standin_error_message(client, text, sizeof text, &needed) == STANDIN_OK && strstr(text, endpoint) != NULL);
    CHECK(standin_call_new(client, "standin.ping", &call) == code && call == 0);
    CHECK(standin_close(client) == STANDIN_OK);
}

#ifdef _WIN32
static const char name[] = "\\\\.\\pipe\\standin-c-denied";
/* What a client asks for: to read and to write, and not to make instances of its own. */
#define CLIENT_RIGHTS 0x12019b

/* The one instance of a pipe that belongs to this user, for whom the list says. */
static HANDLE make(DWORD direction, const char *list)
{
    SECURITY_ATTRIBUTES security = {sizeof security, NULL, FALSE};
    char user[1000], descriptor[1200], *sid;
    DWORD length;
    HANDLE pipe, token;

    CHECK(OpenProcessToken(GetCurrentProcess(), TOKEN_QUERY, &token));
    CHECK(GetTokenInformation(token, TokenUser, user, sizeof user, &length));
    CloseHandle(token);
    CHECK(ConvertSidToStringSidA(((TOKEN_USER *)(void *)user)->User.Sid, &sid));
    sprintf(descriptor, "O:%.900sD:P%s", sid, list);
    LocalFree(sid);
    CHECK(ConvertStringSecurityDescriptorToSecurityDescriptorA(descriptor, SDDL_REVISION_1, &security.lpSecurityDescriptor, NULL));
    pipe = CreateNamedPipeA(name, direction, PIPE_TYPE_BYTE, 1, 1024, 1024, 0, &security);
    CHECK(pipe != INVALID_HANDLE_VALUE);
    LocalFree(security.lpSecurityDescriptor);
    return pipe;
}

static HANDLE open_as_client(void)
{
    return CreateFileA(name, CLIENT_RIGHTS, 0, NULL, OPEN_EXISTING, 0, NULL);
}

/* A pipe that the system keeps this user out of. Wine does not keep him out, and nobody else may do so. */
static void denied(DWORD direction, const char *list, const char *how)
{
    HANDLE pipe = make(direction, list), client = open_as_client();

    if (client == INVALID_HANDLE_VALUE)
    {
        CHECK(GetLastError() == ERROR_ACCESS_DENIED);
        opening_is(name, FOR_EVER, STANDIN_DENIED, "denied");
    }
    else
    {
        CHECK(GetProcAddress(GetModuleHandleA("ntdll.dll"), "wine_get_version") != NULL);
        CloseHandle(client);
    }
    printf("denied.c: %s this user is %s out\n", how, client == INVALID_HANDLE_VALUE ? "kept" : "NOT kept");
    CloseHandle(pipe);
}

static void run(void)
{
    HANDLE pipe, client;

    opening_is(name, SHORT, STANDIN_NOT_RUNNING, "not_running");
    pipe = make(PIPE_ACCESS_DUPLEX, "(A;;GA;;;WD)");
    opening_is(name, SHORT, STANDIN_BUSY, "silent");
    CloseHandle(pipe);
    pipe = make(PIPE_ACCESS_DUPLEX, "(A;;GA;;;WD)");
    client = open_as_client();
    CHECK(client != INVALID_HANDLE_VALUE);
    opening_is(name, SHORT, STANDIN_BUSY, "busy");
    CloseHandle(client);
    CloseHandle(pipe);
    denied(PIPE_ACCESS_DUPLEX, "(D;;GA;;;WD)", "by a descriptor");
    denied(PIPE_ACCESS_INBOUND, "(A;;GA;;;WD)", "by a pipe that is only written to");
}
#else
static char folder[] = "/tmp/standin-c-denied-XXXXXX";
static char path[100];

static const char *place(const char *name)
{
    sprintf(path, "%s/%s", folder, name);
    return path;
}

/* A socket whose mode is that, and on which somebody listens or nobody any more. */
static int make(const char *name, mode_t mode, int is_listening)
{
    struct sockaddr_un address;
    int server = socket(AF_UNIX, SOCK_STREAM, 0);

    memset(&address, 0, sizeof address);
    address.sun_family = AF_UNIX;
    strcpy(address.sun_path, place(name));
    CHECK(server >= 0 && bind(server, (struct sockaddr *)&address, sizeof address) == 0);
    CHECK(chmod(path, mode) == 0);
    if (is_listening)
        CHECK(listen(server, 10) == 0);
    else
        close(server);
    return server;
}

static void look(void)
{
    opening_is(place("none"), SHORT, STANDIN_NOT_RUNNING, "not_running");
    opening_is(place("left"), SHORT, STANDIN_NOT_RUNNING, "not_running");
    opening_is(place("open"), SHORT, STANDIN_BUSY, "silent");
    opening_is(place("shut"), FOR_EVER, STANDIN_DENIED, "denied");
    opening_is(place("inside/of"), FOR_EVER, STANDIN_DENIED, "denied");
}

static void run(void)
{
    int open, shut, status = -1;
    pid_t child;

    CHECK(mkdtemp(folder) != NULL && chmod(folder, 0711) == 0);
    make("left", 0666, 0);
    open = make("open", 0666, 1);
    shut = make("shut", 0, 1);
    CHECK(mkdir(place("inside"), 0) == 0);
    /* Nothing is shut for root. The child is somebody else, and the parent removes what it has made. */
    child = fork();
    CHECK(child >= 0);
    if (child == 0)
    {
        if (geteuid() == 0)
            CHECK(setgroups(0, NULL) == 0 && setgid(65534) == 0 && setuid(65534) == 0);
        look();
        fflush(stdout);
        _Exit(0);
    }
    CHECK(waitpid(child, &status, 0) == child);
    close(open);
    close(shut);
    CHECK(unlink(place("left")) == 0 && unlink(place("open")) == 0 && unlink(place("shut")) == 0);
    CHECK(rmdir(place("inside")) == 0 && rmdir(folder) == 0);
    CHECK(status == 0);
}
#endif

int main(void)
{
    run();
    printf("denied.c: what a client cannot open is told apart\n");
    return 0;
}
