{#- The form of an app's name by which seeds/app_category.csv is searched: as logged, or with the rule
    `tolerant_apps` without case and blanks around it. -#}
{% macro app_key(app) -%}
    {%- if rule('tolerant_apps') -%} upper(trim({{ app }})) {%- else -%} {{ app }} {%- endif -%}
{%- endmacro %}
