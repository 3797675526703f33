// Swagger UI over the service's own description. Requests go to the address of this page, whatever
// the description says.
fetch("/swagger/").then((answer) => answer.json()).then((spec) => {
  spec.servers = [{ url: location.origin, description: "This service" }];
  SwaggerUIBundle({ spec, dom_id: "#swagger-ui", deepLinking: true, tryItOutEnabled: true, validatorUrl: null });
});
