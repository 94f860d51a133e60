// The page of the API: what /api/schema/ says, to read and to try with a key.
"use strict";

const place = document.getElementById("docs");
window.SwaggerUIBundle({
    url: place.dataset.schema,
    domNode: place,
    deepLinking: true,
    docExpansion: "list",
    defaultModelsExpandDepth: 0,
    persistAuthorization: false, // a key is not kept in the browser
    validatorUrl: null, // nothing is sent elsewhere
    supportedSubmitMethods: ["get", "post"],
});
