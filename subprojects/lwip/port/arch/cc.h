/* lwIP's compiler and platform settings. The functions are tun's. */
#ifndef CAUSEWAY_LWIP_CC_H
#define CAUSEWAY_LWIP_CC_H

#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif
/* Ends the process: what lwIP asserts is our bug. */
__attribute__((noreturn)) void tun_lwip_assertion_failed(const char* message, const char* file, int line);
/* Never null: running out of memory ends the process. */
void* tun_lwip_malloc(size_t size);
void* tun_lwip_calloc(size_t count, size_t size);
void tun_lwip_free(void* memory);
#ifdef __cplusplus
}
#endif

#define LWIP_PLATFORM_ASSERT(message) tun_lwip_assertion_failed(message, __FILE__, __LINE__)
#define LWIP_PLATFORM_DIAG(message)
/* An argument that lwIP rejects is our bug as well. */
#define LWIP_ERROR(message, expression, handler) LWIP_ASSERT(message, expression)

#endif
