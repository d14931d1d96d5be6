{#- The form of a keyword in which searches are counted. The originals counted what was typed; the rule
    `trim_keywords` strips the blanks around it first, the option `fold_keywords` also takes upper and lower case,
    runs of blanks, and composed and decomposed accents as one. -#}
{% macro counted_keyword(keyword) -%}
    {%- if rule('fold_keywords', option=true) -%} nfc(lower(trim(regexp_replace({{ keyword }}, '\s+', ' ', 'g'))))
    {%- elif rule('trim_keywords') -%} trim({{ keyword }})
    {%- else -%} {{ keyword }}
    {%- endif -%}
{%- endmacro %}

{#- The form of a keyword by which the mapping is searched: no blanks around it, or folded as it was counted. -#}
{% macro mapped_keyword(keyword) -%}
    {%- if rule('fold_keywords', option=true) -%} {{ counted_keyword(keyword) }} {%- else -%} trim({{ keyword }}) {%- endif -%}
{%- endmacro %}
