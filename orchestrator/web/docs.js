// Swagger UI over the service's own description. Requests go to the address of this page, whatever
// the description says.
SwaggerUIBundle({
  url: "/swagger/",
  dom_id: "#swagger-ui",
  deepLinking: true,
  tryItOutEnabled: true,
  validatorUrl: null,
  requestInterceptor(request) {
    if (request.loadSpec) return request;
    const url = new URL(request.url, location.href);
    request.url = `${location.origin}${url.pathname}${url.search}`;
    return request;
  },
});
