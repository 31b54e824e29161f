# The dashboard: built by npm from web/, compressed once, embedded in the binary. Reruns when a file of web/ changes.
find_program(NODE_PROGRAM node REQUIRED)
find_program(NPM_PROGRAM npm REQUIRED)

function(iotstream_embed_web target)
  set(web "${PROJECT_SOURCE_DIR}/web")
  set(out "${PROJECT_BINARY_DIR}/web")
  set(modules "${out}/modules.stamp")
  if(IOTSTREAM_EMBED_WEB)
    file(GLOB_RECURSE web_sources CONFIGURE_DEPENDS "${web}/src/*" "${web}/public/*")
    add_custom_command(OUTPUT "${modules}"
      COMMAND "${NPM_PROGRAM}" ci --silent --no-fund --no-audit --prefix "${web}"
      COMMAND "${CMAKE_COMMAND}" -E make_directory "${out}"
      COMMAND "${CMAKE_COMMAND}" -E touch "${modules}"
      DEPENDS "${web}/package-lock.json" "${web}/package.json"
      WORKING_DIRECTORY "${web}" COMMENT "npm ci: the dashboard's packages" VERBATIM)
    add_custom_command(OUTPUT "${out}/dist/index.html"
      COMMAND "${NPM_PROGRAM}" run --silent build -- --outDir "${out}/dist" --emptyOutDir --logLevel warn
      DEPENDS "${modules}" ${web_sources} "${web}/index.html" "${web}/vite.config.ts" "${web}/tsconfig.json"
      WORKING_DIRECTORY "${web}" COMMENT "npm run build: the dashboard" VERBATIM)
    set(dist "${out}/dist")
    set(dist_depends "${out}/dist/index.html")
  else()
    set(dist "")
    set(dist_depends "")
  endif()
  add_custom_command(OUTPUT "${out}/assets.cpp"
    COMMAND "${NODE_PROGRAM}" "${PROJECT_SOURCE_DIR}/cmake/embed.mjs" "${out}/assets" "${dist}"
    DEPENDS "${PROJECT_SOURCE_DIR}/cmake/embed.mjs" ${dist_depends}
    COMMENT "Compressing and embedding the dashboard" VERBATIM)
  target_sources(${target} PRIVATE "${out}/assets.cpp")
endfunction()
