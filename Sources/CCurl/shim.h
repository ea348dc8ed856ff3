#pragma once
#include <curl/curl.h>
#include <dlfcn.h>
#include <stdint.h>
#include <stdio.h>

// libcurl brings some twenty libraries with it, which would cost every start of the program more
// than 5 ms. So only its header is used when building, and the library is opened by the first
// download. Its calls also take any number of arguments, which Swift cannot make.

enum { CCURL_NO_LIBRARY = -1 };

struct ccurl_request {
  const char *url;
  const char *user_agent;
  // First byte wanted; 0 for the whole file.
  int64_t start;
  // Seconds without any data after which the connection counts as broken.
  long patience;
  // Gets the status of the answer, the count of the bytes that follow (-1 if the server does not
  // say) and what it says in Content-Range ("" if nothing). Returns 0 to go on.
  int (*on_answer)(void *context, long status, int64_t length, const char *content_range);
  // Gets a piece of the file. Returns 0 to go on.
  int (*on_bytes)(void *context, const char *bytes, size_t count);
  // Is asked about once a second at least. Returns 0 to go on.
  int (*on_pulse)(void *context);
  void *context;
};

struct ccurl_transfer {
  const struct ccurl_request *request;
  CURL *handle;
  CURLcode (*getinfo)(CURL *, CURLINFO, ...);
  int has_answered;
  char content_range[128];
};

// Keeps the Content-Range line of the last answer; redirects have answers of their own.
static inline size_t ccurl_header(char *line, size_t size, size_t count, void *user) {
  struct ccurl_transfer *transfer = (struct ccurl_transfer *)user;
  static const char name[] = "content-range:";
  size_t length = size * count, i = 0;
  if (length > 5 && line[0] == 'H' && line[1] == 'T' && line[4] == '/')
    transfer->content_range[0] = 0;
  while (i < sizeof name - 1 && i < length && (line[i] | 0x20) == (name[i] | 0x20)) i++;
  if (i < sizeof name - 1) return length;
  while (i < length && line[i] == ' ') i++;
  size_t n = 0;
  while (i < length && line[i] != '\r' && line[i] != '\n' && n < sizeof transfer->content_range - 1)
    transfer->content_range[n++] = line[i++];
  transfer->content_range[n] = 0;
  return length;
}

static inline int ccurl_answer(struct ccurl_transfer *transfer) {
  long status = 0;
  curl_off_t length = -1;
  if (transfer->has_answered) return 0;
  transfer->has_answered = 1;
  transfer->getinfo(transfer->handle, CURLINFO_RESPONSE_CODE, &status);
  transfer->getinfo(transfer->handle, CURLINFO_CONTENT_LENGTH_DOWNLOAD_T, &length);
  return transfer->request->on_answer(
      transfer->request->context, status, (int64_t)length, transfer->content_range);
}

static inline size_t ccurl_bytes(char *bytes, size_t size, size_t count, void *user) {
  struct ccurl_transfer *transfer = (struct ccurl_transfer *)user;
  const struct ccurl_request *request = transfer->request;
  if (ccurl_answer(transfer) || request->on_bytes(request->context, bytes, size * count))
    return size * count == 0 ? 1 : 0;
  return size * count;
}

static inline int ccurl_pulse(
    void *user, curl_off_t a, curl_off_t b, curl_off_t c, curl_off_t d) {
  struct ccurl_transfer *transfer = (struct ccurl_transfer *)user;
  (void)a, (void)b, (void)c, (void)d;
  return transfer->request->on_pulse(transfer->request->context);
}

// Asks for one file by GET, follows redirects. Returns libcurl's code, with its words in `message`
// (CURL_ERROR_SIZE bytes), or CCURL_NO_LIBRARY with those of the loader.
static inline int ccurl_get(const struct ccurl_request *request, char *message) {
  message[0] = 0;
  void *library = dlopen("libcurl.so.4", RTLD_NOW | RTLD_LOCAL);
  CURL *(*init)(void) = 0;
  CURLcode (*setopt)(CURL *, CURLoption, ...) = 0;
  CURLcode (*perform)(CURL *) = 0;
  void (*cleanup)(CURL *) = 0;
  const char *(*words)(CURLcode) = 0;
  struct ccurl_transfer transfer = {request, 0, 0, 0, ""};
  if (library) {
    *(void **)&init = dlsym(library, "curl_easy_init");
    *(void **)&setopt = dlsym(library, "curl_easy_setopt");
    *(void **)&perform = dlsym(library, "curl_easy_perform");
    *(void **)&cleanup = dlsym(library, "curl_easy_cleanup");
    *(void **)&words = dlsym(library, "curl_easy_strerror");
    *(void **)&transfer.getinfo = dlsym(library, "curl_easy_getinfo");
  }
  if (!init || !setopt || !perform || !cleanup || !words || !transfer.getinfo) {
    const char *why = dlerror();
    for (int i = 0; why && why[i] && i < CURL_ERROR_SIZE - 1; i++) {
      message[i] = why[i];
      message[i + 1] = 0;
    }
    return CCURL_NO_LIBRARY;
  }
  CURL *handle = transfer.handle = init();
  if (!handle) return CURLE_FAILED_INIT;
  setopt(handle, CURLOPT_URL, request->url);
  setopt(handle, CURLOPT_USERAGENT, request->user_agent);
  setopt(handle, CURLOPT_ERRORBUFFER, message);
  setopt(handle, CURLOPT_PROTOCOLS_STR, "http,https");
  setopt(handle, CURLOPT_REDIR_PROTOCOLS_STR, "http,https");
  setopt(handle, CURLOPT_FOLLOWLOCATION, 1L);
  setopt(handle, CURLOPT_MAXREDIRS, 10L);
  setopt(handle, CURLOPT_NOSIGNAL, 1L);
  setopt(handle, CURLOPT_CONNECTTIMEOUT, request->patience);
  setopt(handle, CURLOPT_LOW_SPEED_LIMIT, 1L);
  setopt(handle, CURLOPT_LOW_SPEED_TIME, request->patience);
  setopt(handle, CURLOPT_BUFFERSIZE, 262144L);
  setopt(handle, CURLOPT_NOPROGRESS, 0L);
  setopt(handle, CURLOPT_XFERINFOFUNCTION, ccurl_pulse);
  setopt(handle, CURLOPT_XFERINFODATA, &transfer);
  setopt(handle, CURLOPT_HEADERFUNCTION, ccurl_header);
  setopt(handle, CURLOPT_HEADERDATA, &transfer);
  setopt(handle, CURLOPT_WRITEFUNCTION, ccurl_bytes);
  setopt(handle, CURLOPT_WRITEDATA, &transfer);
  // Not CURLOPT_RESUME_FROM: a server that sends the whole file instead is fine.
  char range[32];
  snprintf(range, sizeof range, "%lld-", (long long)request->start);
  if (request->start > 0) setopt(handle, CURLOPT_RANGE, range);
  CURLcode code = perform(handle);
  // An answer without a body has not been told yet.
  if (code == CURLE_OK && ccurl_answer(&transfer)) code = CURLE_ABORTED_BY_CALLBACK;
  if (code != CURLE_OK && !message[0]) snprintf(message, CURL_ERROR_SIZE, "%s", words(code));
  cleanup(handle);
  return (int)code;
}
