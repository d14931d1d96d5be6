{#- The text with its decimal digits of any script (Persian, Arabic, Thai, full width, ...) as 0-9. The originals
    knew ASCII digits alone and lost such rows, so the rule `any_digits` decides. -#}
{% macro digits(text) -%}
    {%- if rule('any_digits') -%} ascii_digits({{ text }}) {%- else -%} {{ text }} {%- endif -%}
{%- endmacro %}
