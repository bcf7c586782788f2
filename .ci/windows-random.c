/* For tests under Wine 8 only, never shipped: the one function of bcryptprimitives.dll that Rust's standard library
   takes its random bytes from, made of the older one (RtlGenRandom) that Wine has. */
#include <windows.h>
#include <ntsecapi.h>

__declspec(dllexport) BOOL WINAPI ProcessPrng(PBYTE data, SIZE_T length)
{
    return RtlGenRandom(data, (ULONG)length);
}
