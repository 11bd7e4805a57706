# SPDX-License-Identifier: Apache-2.0
# Tools that judge Winnow from outside, and the tests that judge the tools.
set(here ${CMAKE_CURRENT_LIST_DIR})
add_test(NAME web_size COMMAND ${here}/web_size.sh ${CMAKE_SOURCE_DIR}/clients/web/w.js 1024)
add_test(NAME traffic COMMAND ${here}/traffic_check.sh $<TARGET_FILE:winnow-traffic> ${CMAKE_CURRENT_BINARY_DIR}/traffic)

# NOFLOAT; ./check asks the same of what is released. A sanitizer's calls are no part of the question.
if(NOT WN_SANITIZE AND NOT WN_FUZZ)
  add_test(NAME nofloat_itself COMMAND ${here}/nofloat.sh --itself)
  add_test(NAME nofloat_release COMMAND ${here}/nofloat.sh $<TARGET_FILE:wn_release> gauss.c.o noise.c.o)
  add_test(NAME nofloat_common COMMAND ${here}/nofloat.sh $<TARGET_FILE:wn_common> noise_terms.c.o)
endif()

add_test(NAME units COMMAND ${here}/units.sh ${CMAKE_SOURCE_DIR}/systemd)
set_tests_properties(units PROPERTIES LABELS unit SKIP_RETURN_CODE 77)

find_program(WN_NODE node)
if(WN_NODE)
  add_test(NAME web_script COMMAND ${WN_NODE} ${here}/wjs_check.js ${CMAKE_SOURCE_DIR}/clients/web/w.js)
endif()

find_program(WN_PYTHON python3)
if(WN_PYTHON)
  add_test(NAME promises COMMAND ${WN_PYTHON} -B ${here}/promises.py ${CMAKE_SOURCE_DIR}/tests)
  add_test(NAME oracle_itself COMMAND ${WN_PYTHON} -B ${here}/oracle_test.py)
  add_test(NAME noise_doc COMMAND ${WN_PYTHON} -B ${here}/noise_doc.py ${CMAKE_SOURCE_DIR}/docs/noise.md)
  add_test(NAME nestdiff_itself COMMAND ${WN_PYTHON} -B ${here}/nestdiff_test.py)
  add_test(NAME traffic_http COMMAND ${WN_PYTHON} -B ${here}/traffic_http_check.py $<TARGET_FILE:winnow-traffic>)
  set_tests_properties(traffic_http PROPERTIES FAIL_REGULAR_EXPRESSION "${WN_SANITIZER_WORDS}")
endif()
set_tests_properties(traffic PROPERTIES FAIL_REGULAR_EXPRESSION "${WN_SANITIZER_WORDS}")
